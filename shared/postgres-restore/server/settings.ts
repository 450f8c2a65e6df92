import type { Safeguard } from "../../isolation/index.ts";
import type { Place } from "../../place/index.ts";
import type { RestoreTarget } from "../target.ts";

/** Where in a cluster a throw-away server runs. */
export interface ClusterSettings {
  /** A kubeconfig's path, content, or content in base64; what KUBECONFIG names when left out. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  /** The context's own when left out. */
  readonly namespace?: string | undefined;
  /** Of its volume, as Kubernetes writes it: `50Gi`; the node's own disk when left out. */
  readonly volumeSize?: string | undefined;
  /** The volume's storage class; the cluster's default when left out. */
  readonly volumeClass?: string | undefined;
}

/** How a throw-away server is to be had. */
export interface ServerSettings {
  /** The major version; the newest there is when left out. */
  readonly major?: number | undefined;
  /** Whether the next later major version does where that one is not there. */
  readonly orNewer?: boolean | undefined;
  /** A folder with the server's programs. */
  readonly bin?: string | undefined;
  /** Of a container; postgres:MAJOR when left out. */
  readonly image?: string | undefined;
  /** Of a Job in a cluster. */
  readonly cluster?: ClusterSettings | undefined;
  /** Where its own folder is made; the system's temporary folder when left out. */
  readonly folder?: string | undefined;
  /** The most that it may take, in milliseconds; six hours when left out. */
  readonly time?: number | undefined;
  /** The most private memory, in bytes; half of the machine's when left out. */
  readonly memory?: number | undefined;
  /** The most disk, in bytes; what there is when left out. */
  readonly disk?: number | undefined;
  /** What has to stay free on the disk, in bytes; 256 MiB when left out. */
  readonly free?: number | undefined;
  /** How many connections restore at once; 2 when left out. */
  readonly jobs?: number | undefined;
}

/** A server that runs and is empty. */
export interface StartedServer extends AsyncDisposable {
  readonly name: string;
  readonly major: number;
  readonly place: Place;
  readonly programs: RestoreTarget["programs"];
  /** The folder of its socket, as the place knows it. */
  readonly socket: string;
  readonly administrator: { readonly name: string; readonly password: string };
  readonly staging: RestoreTarget["staging"];
  readonly safeguards: readonly Safeguard[];
  /** Aborts when the job is cancelled, a limit is reached or the server goes away by itself. */
  readonly signal: AbortSignal;
}
