import type { Place } from "../failure/index.ts";

type Mapping = Readonly<Record<string, string>>;

/** Something in a file that cannot be carried out, and why. */
export interface Refusal {
  /** The attribute, as bake files call it. */
  readonly key: string;
  readonly problem: string;
  /** Whether it holds for targets of other names too: a matrix, or what others inherit. */
  readonly forOthers?: boolean;
}

/** A target of a bake file, or a service of a compose file, as buildx understands it. */
export interface BakeFileTarget {
  readonly name: string;
  /** Not asked for: only built because another takes it as a context. */
  readonly linked: boolean;
  readonly context: string;
  /** By name: a folder, `docker-image://...`, `target:NAME`, or an address. */
  readonly contexts: Mapping;
  readonly dockerfile: string;
  readonly dockerfileInline: string | undefined;
  readonly target: string | undefined;
  readonly args: Mapping;
  readonly labels: Mapping;
  readonly annotations: Mapping;
  /** Full names of images, with tags. */
  readonly tags: readonly string[];
  readonly secrets: Readonly<Record<string, { variable: string } | { file: string }>>;
  readonly ssh: readonly { readonly id: string; readonly paths: readonly string[] }[];
  readonly platforms: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly noCache: boolean | undefined;
  readonly noCacheFilter: readonly string[];
  readonly pull: boolean | undefined;
  readonly network: string | undefined;
  readonly extraHosts: Mapping;
  readonly shmSize: string | undefined;
  readonly ulimits: readonly string[];
  readonly entitlements: readonly string[];
  readonly provenance: "min" | "max" | "off" | undefined;
  readonly sbom: boolean | undefined;
  /** How the image is written: `compression` and the like. */
  readonly exporter: Mapping;
  /** Where the target is written, as far as it was found. */
  readonly at: Place | undefined;
  readonly refusals: readonly Refusal[];
}

/** What the files define, of what was asked for. */
export interface BakeFile {
  /** Sorted by name; with those that others are linked to. */
  readonly targets: readonly BakeFileTarget[];
  /** Of blocks that are no targets by themselves. */
  readonly refusals: readonly (Refusal & { readonly target: string })[];
  /** What a user may want to know, and need not act on. */
  readonly notes: readonly string[];
}
