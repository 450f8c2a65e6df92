import type { UserError } from "../failure/index.ts";
import type { Repository } from "../images/index.ts";
import type { StepCounts } from "./build-event.ts";
import type { BuildSecret } from "./build-secret.ts";

/** One image of a bake. */
export interface BakeTarget {
  /** The service's name, by which results, events and messages name it. */
  readonly name: string;
  /** A folder, absolute; or an address that BuildKit fetches by itself. */
  readonly context: string;
  /** Absolute; relative to the context where that is an address. */
  readonly dockerfile: string;
  /** The text of a Dockerfile that is no file; `dockerfile` is not read then. */
  readonly dockerfileInline?: string | undefined;
  /** The Dockerfile relative to the workspace, as messages show it. */
  readonly dockerfileShown: string;
  readonly target?: string | undefined;
  readonly buildArgs?: Readonly<Record<string, string>>;
  /** In seconds: the image, and all files in its layers, are no younger. */
  readonly sourceDateEpoch?: number | undefined;
  readonly secrets?: readonly BuildSecret[];
  /** Agents' sockets or keys by id; without a path, the agent of this process. */
  readonly ssh?: readonly { readonly id: string; readonly paths: readonly string[] }[];
  readonly platforms?: readonly string[];
  /** Further contexts by name: a folder, an address, `docker-image://…`, `target:NAME`. */
  readonly contexts?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** Keys may begin with where they belong: `index:`, `manifest[linux/amd64]:`. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Undefined where nothing is pushed. */
  readonly repository?: Repository | undefined;
  /** Further repositories that get the same. */
  readonly mirrors?: readonly Repository[];
  readonly output: "push-by-digest" | "none";
  /** Further attributes of the exporter: `compression`, ... */
  readonly exporter?: Readonly<Record<string, string>>;
  readonly provenance?: "min" | "max" | "off";
  readonly sbom?: boolean;
  /** The image that makes the bill of materials; BuildKit's own choice when left out. */
  readonly sbomGenerator?: string | undefined;
  /** As docker writes them: `type=registry,ref=…`. */
  readonly cacheFrom?: readonly string[];
  readonly cacheTo?: readonly string[];
  readonly noCache?: boolean;
  readonly noCacheFilter?: readonly string[];
  readonly pull?: boolean;
  readonly network?: string | undefined;
  readonly extraHosts?: Readonly<Record<string, string>>;
  readonly shmSize?: string | undefined;
  readonly ulimits?: readonly string[];
  /** Rights that it asks for, already granted by the user: `network.host`, ... */
  readonly entitlements?: readonly string[];
  /** The longest it may take, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** What became of one target. */
export interface BakeResult {
  readonly name: string;
  /** What was pushed; undefined when nothing was, or the builder names none. */
  readonly digest: string | undefined;
  readonly steps: StepCounts;
  /** Fetched from the cache of another builder; undefined where nothing tells. */
  readonly bytes?: number;
  /** Epoch milliseconds. */
  readonly began: number;
  readonly ended: number;
  /** How many times it was tried. */
  readonly attempts: number;
  readonly failure?: UserError;
}
