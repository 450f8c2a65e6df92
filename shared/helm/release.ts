import { gunzipSync } from "node:zlib";
import type { KubernetesObject } from "../kubernetes/index.ts";

/** The states that Helm gives a revision: pkg/release/common/status.go. */
export type ReleaseStatus =
  | "deployed"
  | "superseded"
  | "failed"
  | "uninstalled"
  | "uninstalling"
  | "pending-install"
  | "pending-upgrade"
  | "pending-rollback"
  | "unknown";

/** One revision of a release, as Helm records it. */
export interface Revision {
  readonly revision: number;
  readonly status: ReleaseStatus;
  /** What Helm notes beside the status: `Upgrade complete`, `Rollback to 1`, an error. */
  readonly description: string;
  /** When it was last touched, in milliseconds since the Unix epoch. */
  readonly updated: number;
  /** `name-version` of the chart. */
  readonly chart: string;
  readonly appVersion: string;
  /** The objects as they were rendered, without hooks. */
  readonly manifest: string;
}

/** A Secret or ConfigMap in which Helm keeps a revision. */
export interface ReleaseRecord extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface StoredRelease {
  readonly version?: number;
  readonly manifest?: string;
  readonly info?: {
    readonly status?: string;
    readonly description?: string;
    readonly last_deployed?: string;
  };
  readonly chart?: {
    readonly metadata?: {
      readonly name?: string;
      readonly version?: string;
      readonly appVersion?: string;
    };
  };
}

/**
 * Reads the record of a revision. Helm writes JSON, gzipped, in base64; a Secret's data are in
 * base64 once more. Source: pkg/storage/driver/{secrets,cfgmaps,util}.go, the same in Helm 3 and 4.
 *
 * @throws {Error} when the record is not one of Helm's.
 */
export function revisionOf(record: ReleaseRecord): Revision {
  const data = record.data?.release ?? "";
  const encoded = record.kind === "Secret" ? Buffer.from(data, "base64").toString("latin1") : data;
  const bytes = Buffer.from(encoded, "base64");
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const stored: unknown = JSON.parse((gzipped ? gunzipSync(bytes) : bytes).toString());
  return revisionOfRelease(stored as StoredRelease);
}

/** Reads a release as `helm upgrade -o json` and `helm status -o json` print it. */
export function revisionOfOutput(json: string): Revision {
  return revisionOfRelease(JSON.parse(json) as StoredRelease);
}

function revisionOfRelease({ version, info, manifest, chart }: StoredRelease): Revision {
  const { name, version: chartVersion, appVersion } = chart?.metadata ?? {};
  return {
    revision: version ?? 0,
    status: (info?.status ?? "unknown") as ReleaseStatus,
    description: info?.description ?? "",
    updated: Date.parse(info?.last_deployed ?? "") || 0,
    chart: name === undefined ? "" : `${name}-${chartVersion ?? ""}`,
    appVersion: appVersion ?? "",
    manifest: manifest ?? "",
  };
}

/** What the history of a release says about where it stands. */
export type Standing =
  /** Nothing of it is installed. */
  | { readonly state: "absent" }
  /** Settled: the newest revision is deployed, or failed on top of one that is. */
  | { readonly state: "settled"; readonly last: Revision; readonly good: Revision | undefined }
  /** An operation has begun and not ended: it runs, or was killed. */
  | { readonly state: "pending"; readonly last: Revision; readonly good: Revision | undefined };

/**
 * Judges a history. The good revision is the newest that Helm calls deployed; Helm marks its
 * predecessor superseded only when the next one is out, so a superseded one counts where none is
 * deployed (a kill can fall between the two).
 */
export function standingOf(history: readonly Revision[]): Standing {
  const newestFirst = [...history].sort((a, b) => b.revision - a.revision);
  const [last] = newestFirst;
  if (last === undefined || last.status === "uninstalled") return { state: "absent" };
  const good =
    newestFirst.find(({ status }) => status === "deployed") ??
    newestFirst.find(({ status }) => status === "superseded");
  const pending = last.status.startsWith("pending-") || last.status === "uninstalling";
  return { state: pending ? "pending" : "settled", last, good };
}
