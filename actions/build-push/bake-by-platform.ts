import { createHash } from "node:crypto";
import type { BakeResult, BakeTarget, BuildEvent } from "../../shared/buildkit/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { nameOf, type Repository } from "../../shared/images/index.ts";
import type { Registries } from "../../shared/registry/index.ts";

type OnEvent = (name: string, event: BuildEvent) => void;
type BakeAll = (targets: readonly BakeTarget[], onEvent: OnEvent) => Promise<BakeResult[]>;

const INDEX = "application/vnd.oci.image.index.v1+json";

/**
 * Bakes on a builder of several machines. buildx would put what they push together under a tag,
 * `latest` where none is named, before anything has looked at it: so each platform is a target of
 * its own, pushed by digest, and the index that joins them is put at the registry by its digest.
 */
export async function bakeByPlatform(
  targets: readonly BakeTarget[],
  onEvent: OnEvent,
  bakeAll: BakeAll,
  registries: Registries,
  signal: AbortSignal,
): Promise<readonly BakeResult[]> {
  const parts = targets.map((target) => ({ target, parts: partsOf(target, targets) }));
  const owners = new Map(
    parts.flatMap(({ target, parts: own }) => own.map((part) => [part.name, target.name] as const)),
  );
  const flat = parts.flatMap((each) => each.parts);
  const results = await bakeAll(flat, (name, event) => onEvent(owners.get(name) ?? name, event));
  const byName = new Map(results.map((result) => [result.name, result]));
  return Promise.all(
    parts.map(({ target, parts: own }) => {
      const done = own.flatMap(({ name }) => byName.get(name) ?? []);
      return joined(target, own, done, registries, signal);
    }),
  );
}

/** A target for each of its platforms; itself where it has one at most. Pure. */
export function partsOf(target: BakeTarget, all: readonly BakeTarget[]): readonly BakeTarget[] {
  const { platforms = [] } = target;
  if (platforms.length < 2) return [target];
  return platforms.map((platform, at) => {
    const contexts = Object.entries(target.contexts ?? {}).map(([name, value]) => {
      const linked = all.find((each) => value === `target:${each.name}`);
      const theirs = linked?.platforms ?? [];
      const isSplit = theirs.length > 1 && theirs.includes(platform);
      return [name, isSplit ? `target:${partName(linked?.name ?? "", platform)}` : value];
    });
    const name = partName(target.name, platform);
    return {
      ...target,
      name,
      platforms: [platform],
      contexts: Object.fromEntries(contexts),
      cacheFrom: (target.cacheFrom ?? []).map((entry) => cacheOfPart(entry, platform)),
      // A folder holds the cache of one build.
      cacheTo: (target.cacheTo ?? [])
        .filter((entry) => at === 0 || !entry.startsWith("type=local"))
        .map((entry) => cacheOfPart(entry, platform)),
    };
  });
}

/** Parts that are built side by side must not write over each other's cache. */
function cacheOfPart(entry: string, platform: string): string {
  return entry.replace(
    /(^|,)((?:ref|scope)=[^,]+)/,
    (_, before: string, place: string) => `${before}${place}-${platform.replaceAll("/", "-")}`,
  );
}

function partName(name: string, platform: string): string {
  return `${name} (${platform})`;
}

async function joined(
  target: BakeTarget,
  parts: readonly BakeTarget[],
  results: readonly BakeResult[],
  registries: Registries,
  signal: AbortSignal,
): Promise<BakeResult> {
  const [first] = results;
  if (first === undefined) throw new Error(`nothing was told of ${target.name}`);
  if (parts.length === 1) return first;
  const sum = (of: (result: BakeResult) => number) =>
    results.reduce((total, result) => total + of(result), 0);
  const whole: BakeResult = {
    name: target.name,
    digest: undefined,
    steps: {
      done: sum(({ steps }) => steps.done),
      cached: sum(({ steps }) => steps.cached),
      total: sum(({ steps }) => steps.total),
    },
    bytes: sum(({ bytes = 0 }) => bytes),
    began: Math.min(...results.map(({ began }) => began)),
    ended: Math.max(...results.map(({ ended }) => ended)),
    attempts: Math.max(...results.map(({ attempts }) => attempts)),
  };
  const failure = results.find((result) => result.failure !== undefined)?.failure;
  if (failure !== undefined) return { ...whole, failure };
  if (target.output === "none" || target.repository === undefined) return whole;
  try {
    let digest = "";
    for (const repository of [target.repository, ...(target.mirrors ?? [])]) {
      digest = await putTogether(repository, parts, results, registries, signal);
    }
    return { ...whole, digest };
  } catch (error) {
    if (error instanceof UserError) return { ...whole, failure: error };
    throw error;
  }
}

interface Entry {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: object;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Puts the index of all parts into a repository, by its digest. */
async function putTogether(
  repository: Repository,
  parts: readonly BakeTarget[],
  results: readonly BakeResult[],
  registries: Registries,
  signal: AbortSignal,
): Promise<string> {
  const registry = await registries.of(repository.host);
  const entries: Entry[] = [];
  let annotations: Readonly<Record<string, string>> = {};
  for (const [at, { digest = "" }] of results.entries()) {
    const stored = await registry.manifest(repository.path, digest, signal);
    if (stored === undefined) throw lost(repository, digest);
    const manifest = JSON.parse(stored.text) as { manifests?: Entry[]; annotations?: object };
    const [os, architecture, variant] = (parts[at]?.platforms?.[0] ?? "").split("/");
    const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    const { mediaType } = stored;
    const single = { mediaType, digest, size: Buffer.byteLength(stored.text), platform };
    entries.push(...(manifest.manifests ?? [single]));
    if (manifest.manifests !== undefined) annotations = { ...annotations, ...manifest.annotations };
  }
  const index = {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: entries,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
  const text = JSON.stringify(index);
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  await registry.putManifest(repository.path, digest, { text, mediaType: INDEX }, signal);
  return digest;
}

function lost(repository: Repository, digest: string): UserError {
  return new UserError({
    title: "A part of the image is not at the registry",
    cause: `${nameOf(repository)}@${digest} was pushed, and the registry does not have it.`,
    remedy: "Run again. Where it happens again, look for a proxy or clean-up before the registry.",
  });
}
