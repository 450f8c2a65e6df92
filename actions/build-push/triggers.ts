import { UserError } from "../../shared/failure/index.ts";
import { normalPlatform, parseImage } from "../../shared/images/index.ts";
import type { Registry } from "../../shared/registry/index.ts";
import type { Step } from "./step.ts";

/** An image that a stage is built on, and the platforms for which it is. */
export interface Base {
  readonly image: string;
  readonly digest: string;
  readonly platforms: readonly string[];
}

/**
 * The ONBUILD lines of a base image, which run in what is built on it; undefined where they cannot
 * be found out, which is no failure: a build then counts on its whole context.
 */
export async function triggersOf(
  { image, digest, platforms }: Base,
  { workshop, world }: Step,
): Promise<readonly string[] | undefined> {
  const reference = parseImage(image);
  if (reference === undefined) return undefined;
  try {
    const registry = await workshop.registries.of(reference.host);
    const wanted = platforms.map(normalPlatform);
    const manifests = await manifestsOf(registry, reference.path, { digest, wanted }, world.signal);
    if (manifests === undefined) return undefined;
    const lines = await Promise.all(
      manifests.map(async (manifest) => {
        const config = manifest.config?.digest ?? "";
        return linesOf(await registry.blob(reference.path, config, world.signal));
      }),
    );
    return lines.includes(undefined) ? undefined : [...new Set(lines.flatMap((all) => all ?? []))];
  } catch (error) {
    world.signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

interface Manifest {
  readonly config?: { readonly digest?: string };
  readonly manifests?: readonly {
    readonly digest?: string;
    readonly platform?: {
      readonly os?: string;
      readonly architecture?: string;
      readonly variant?: string;
    };
  }[];
}

/** Those for the platforms; undefined when one of them is not there. */
async function manifestsOf(
  registry: Registry,
  path: string,
  { digest, wanted }: { readonly digest: string; readonly wanted: readonly string[] },
  signal: AbortSignal,
): Promise<readonly Manifest[] | undefined> {
  const top = await manifestAt(registry, path, digest, signal);
  if (top?.manifests === undefined) return top === undefined ? undefined : [top];
  const digests = wanted.map((platform) => {
    const found = top.manifests?.find((each) => nameOf(each.platform) === platform);
    return found?.digest;
  });
  const all = await Promise.all(
    digests.map((each) =>
      each === undefined ? undefined : manifestAt(registry, path, each, signal),
    ),
  );
  return all.every((manifest) => manifest !== undefined) ? all : undefined;
}

function nameOf(platform: NonNullable<Manifest["manifests"]>[number]["platform"]): string {
  const { os = "", architecture = "", variant = "" } = platform ?? {};
  return normalPlatform([os, architecture, variant].filter((part) => part !== "").join("/"));
}

async function manifestAt(
  registry: Registry,
  path: string,
  digest: string,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  const stored = await registry.manifest(path, digest, signal);
  return stored === undefined ? undefined : parsed<Manifest>(stored.text);
}

function linesOf(config: string | undefined): readonly string[] | undefined {
  const image = config === undefined ? undefined : parsed<Config>(config);
  if (image === undefined) return undefined;
  return (image.config?.OnBuild ?? []).map(String);
}

interface Config {
  readonly config?: { readonly OnBuild?: readonly unknown[] | null } | null;
}

function parsed<T>(text: string): T | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}
