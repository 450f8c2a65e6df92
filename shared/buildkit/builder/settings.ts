import { createHash } from "node:crypto";
import { csvField } from "../cache.ts";
import type { TlsMaterial } from "./control.ts";

/** The kinds of builder that are made here, in buildx's words. */
export type Driver = "docker-container" | "kubernetes" | "remote";

/** One machine of a builder. */
export interface NodeSettings {
  /** Where it is: an address for `remote`, a context of docker or of kubeconfig for the others. */
  readonly endpoint?: string | undefined;
  /** What it builds; left out, what it says it can. */
  readonly platforms: readonly string[];
  /** As `buildx create --driver-opt` takes them, over those of the builder. */
  readonly options: Readonly<Record<string, string>>;
}

/** The builder to use, as the inputs say it. */
export interface BuilderSettings {
  /** The name of a builder of buildx; with `driver`, the name of the one that is made. */
  readonly builder?: string | undefined;
  /** The address of a BuildKit that runs elsewhere. */
  readonly buildkit?: string | undefined;
  /** Has a builder made. */
  readonly driver?: Driver | undefined;
  readonly options: Readonly<Record<string, string>>;
  /** None: one, of the builder's options alone. */
  readonly nodes: readonly NodeSettings[];
  readonly tls?: TlsMaterial | undefined;
  /** The text of a buildkitd.toml for what is made. */
  readonly config?: string | undefined;
  /** Whether what is made stays, with its cache, for the next step or run. */
  readonly keep: boolean;
}

/** An image of BuildKit as buildx starts it unless told otherwise. Source: docker/buildx, bkimage. */
const DEFAULT_IMAGE = "moby/buildkit:buildx-stable-1";

/** The image of BuildKit that a builder of a driver runs. */
export function imageOf(options: Readonly<Record<string, string>>): string {
  const rootless = /^(1|t|true)$/i.test(options.rootless ?? "");
  return options.image || (rootless ? `${DEFAULT_IMAGE}-rootless` : DEFAULT_IMAGE);
}

/** How many machines that may share the platforms of a build: a node of a cluster has pods. */
export function machinesOf(
  nodes: readonly { readonly options: Readonly<Record<string, string>> }[],
): number {
  return nodes.reduce((sum, { options }) => sum + Math.max(1, Number(options.replicas) || 1), 0);
}

/** The nodes to make, each with all its options. */
export function nodesOf(settings: BuilderSettings): readonly NodeSettings[] {
  const { nodes, options, driver } = settings;
  const own = driver === "docker-container" ? OWN_CONTAINER : {};
  const given = nodes.length === 0 ? [{ platforms: [], options: {} }] : nodes;
  return given.map((node) => ({ ...node, options: { ...own, ...options, ...node.options } }));
}

// buildx would write who runs the workflow into the provenance of every image, and so give the
// same commit another digest in every run.
const OWN_CONTAINER: Readonly<Record<string, string>> = { "provenance-add-gha": "false" };

/**
 * The name of the builder that is made. It depends on nothing but its settings, so that the next
 * step, or the next run, finds the same container or Deployment with its cache; other settings make
 * another builder.
 *
 * @param unique for one that is removed at the end, which nobody else may have taken up.
 */
export function builderName(settings: BuilderSettings, unique?: string): string {
  const { builder, driver, config } = settings;
  if (unique !== undefined) return `${builder ?? "seaworthy"}-${unique}`;
  if (builder !== undefined) return builder;
  const facts = JSON.stringify([driver, nodesOf(settings).map(sortedNode), config ?? ""]);
  return `seaworthy-${createHash("sha256").update(facts).digest("hex").slice(0, 8)}`;
}

function sortedNode({ endpoint = "", platforms, options }: NodeSettings) {
  return [endpoint, platforms, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))];
}

/** The arguments of `buildx create` for each node; the first makes the builder, the others join. */
export function createArguments(
  name: string,
  driver: Driver,
  nodes: readonly NodeSettings[],
  configFile: string | undefined,
): string[][] {
  return nodes.map(({ endpoint, platforms, options }, index) => [
    "create",
    `--name=${name}`,
    `--node=${name}${index}`,
    ...(index === 0 ? [`--driver=${driver}`] : ["--append"]),
    ...(platforms.length === 0 ? [] : [`--platform=${platforms.join(",")}`]),
    ...Object.entries(options).map(
      ([option, value]) => `--driver-opt=${csvField(`${option}=${value}`)}`,
    ),
    ...(configFile === undefined ? [] : [`--buildkitd-config=${configFile}`]),
    ...(endpoint === undefined ? [] : [endpoint]),
  ]);
}
