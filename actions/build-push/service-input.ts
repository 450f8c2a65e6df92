type Mapping = Readonly<Record<string, string>>;

/** Where the value of a build's secret is to be found. */
export type SecretSource = { readonly variable: string } | { readonly file: string };

/** A key or agent for `RUN --mount=type=ssh`; no path stands for the agent of the job. */
export interface SshSource {
  readonly id: string;
  readonly paths: readonly string[];
}

/** A service as the user wrote it, in whichever form; what is left out has a default. */
export interface ServiceInput {
  readonly name: string;
  /** The full name of its image, without a tag: `ghcr.io/owner/api`. */
  readonly image?: string | undefined;
  /** Further whole names, which the same image goes to. */
  readonly mirrors?: readonly string[] | undefined;
  readonly context?: string | undefined;
  /** By name: a folder, `docker-image://...`, `target:SERVICE`, or the address of a repository. */
  readonly contexts?: Mapping | undefined;
  readonly dockerfile?: string | undefined;
  /** The text of a Dockerfile, instead of a file. */
  readonly dockerfileInline?: string | undefined;
  readonly target?: string | undefined;
  readonly buildArgs?: Mapping | undefined;
  readonly secrets?: Readonly<Record<string, SecretSource>> | undefined;
  readonly ssh?: readonly SshSource[] | undefined;
  readonly platforms?: readonly string[] | undefined;
  /** Instead of the step's. */
  readonly tags?: readonly string[] | undefined;
  /** Beside those. */
  readonly extraTags?: readonly string[] | undefined;
  readonly labels?: Mapping | undefined;
  /** By key, which may say what it belongs to: `index:org.opencontainers.image.title`. */
  readonly annotations?: Mapping | undefined;
  /** As buildx takes them: `type=registry,ref=...`. */
  readonly cacheFrom?: readonly string[] | undefined;
  readonly cacheTo?: readonly string[] | undefined;
  readonly noCache?: boolean | undefined;
  /** Stages to build anew. */
  readonly noCacheFilter?: readonly string[] | undefined;
  readonly pull?: boolean | undefined;
  readonly network?: string | undefined;
  /** Addresses by host's name. */
  readonly extraHosts?: Mapping | undefined;
  readonly shmSize?: string | undefined;
  readonly ulimits?: readonly string[] | undefined;
  readonly entitlements?: readonly string[] | undefined;
  readonly provenance?: "min" | "max" | "off" | undefined;
  readonly sbom?: boolean | undefined;
  /** How the image is written: `compression` and the like, as buildx's output takes them. */
  readonly exporter?: Mapping | undefined;
}

/** A service with the words by which messages name it. */
export interface WrittenService {
  /** Before the name of a key: `services.0 (api): `. Empty where the step's own inputs are meant. */
  readonly prefix: string;
  readonly input: ServiceInput;
  /** Full names of images with their tags, as a bake or compose file has them. */
  readonly references: readonly string[];
  /** Only built because others build on it; it is no service of its own. */
  readonly linked: boolean;
  /** Where it is written, when that is a file. */
  readonly at?: { readonly file: string; readonly line: number } | undefined;
}
