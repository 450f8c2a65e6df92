import type { Place } from "../../shared/failure/index.ts";
import type { Repository } from "../../shared/images/index.ts";
import type { TaggedRepository } from "./image-of.ts";
import type { SecretSource, SshSource } from "./service-input.ts";

type Mapping = Readonly<Record<string, string>>;

/** What is to be built, with every default filled in; its paths are as the user wrote them. */
export interface PlannedBuild {
  /** How messages name its keys: `services.0 (api): `; empty in the short form. */
  readonly prefix: string;
  readonly name: string;
  /** Relative to the workspace or absolute. */
  readonly context: string;
  /** By name: a folder, `docker-image://...`, `target:NAME of another build`, or an address. */
  readonly contexts: Mapping;
  /** Relative to the context or absolute. Of no use beside an inline one. */
  readonly dockerfile: string;
  /** The text of a Dockerfile, instead of a file. */
  readonly dockerfileInline: string | undefined;
  readonly target: string | undefined;
  readonly buildArgs: Mapping;
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly ssh: readonly SshSource[];
  readonly platforms: readonly string[];
  readonly labels: Mapping;
  /** By key, which may say what it belongs to: `index:org.opencontainers.image.title`. */
  readonly annotations: Mapping;
  /** As buildx takes them: `type=registry,ref=...`; beside those of the step. */
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly noCache: boolean;
  readonly noCacheFilter: readonly string[];
  readonly pull: boolean;
  readonly network: string | undefined;
  readonly extraHosts: Mapping;
  readonly shmSize: string | undefined;
  readonly ulimits: readonly string[];
  /** Rights that the build wants; all of them are allowed by the step. */
  readonly entitlements: readonly string[];
  /** Undefined where the step's own setting holds. */
  readonly provenance: "min" | "max" | "off" | undefined;
  readonly sbom: boolean | undefined;
  /** How the image is written: `compression` and the like. */
  readonly exporter: Mapping;
  /** Names of the builds that it takes as contexts. */
  readonly dependsOn: readonly string[];
  readonly at?: Place | undefined;
}

/** A build whose image is pushed. */
export interface PlannedService extends PlannedBuild {
  readonly repository: Repository;
  /** All tags that it is to get, each once. */
  readonly tags: readonly string[];
  /** Further repositories that the same image goes to. */
  readonly mirrors: readonly TaggedRepository[];
}
