import { gunzipSync } from "node:zlib";
import type { KubernetesObject } from "../kubernetes/index.ts";
import { type Proof, proofOf } from "./proof.ts";

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
  /** The hooks' own manifests. */
  readonly hooks: readonly string[];
  /** Whether its objects are applied on the server's side, as Helm 4 does; Helm 3 does not say. */
  readonly serverSide: boolean;
  /** Whether anybody has seen it work. */
  readonly proof: Proof;
}

/** A Secret or ConfigMap in which Helm keeps a revision. */
export interface ReleaseRecord extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface StoredRelease {
  readonly version?: number;
  readonly manifest?: string;
  /** Values that the user gave. */
  readonly config?: unknown;
  readonly hooks?: readonly { readonly manifest?: string }[];
  readonly apply_method?: string;
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
 * A revision as its record holds it. The record is unpacked only when something is asked for that
 * is not among its labels: of ten revisions, most are never looked into.
 */
class RecordedRevision implements Revision {
  readonly #record: ReleaseRecord;
  #unpacked: Revision | undefined;

  constructor(record: ReleaseRecord) {
    this.#record = record;
  }

  get revision(): number {
    const { version } = this.#record.metadata.labels ?? {};
    return version === undefined ? this.#whole.revision : Number(version);
  }

  get status(): ReleaseStatus {
    const { status } = this.#record.metadata.labels ?? {};
    return status === undefined ? this.#whole.status : (status as ReleaseStatus);
  }

  get proof(): Proof {
    return proofOf(this.#record.metadata.labels, this.revision);
  }

  get description(): string {
    return this.#whole.description;
  }

  get updated(): number {
    return this.#whole.updated;
  }

  get chart(): string {
    return this.#whole.chart;
  }

  get appVersion(): string {
    return this.#whole.appVersion;
  }

  get manifest(): string {
    return this.#whole.manifest;
  }

  get hooks(): readonly string[] {
    return this.#whole.hooks;
  }

  get serverSide(): boolean {
    return this.#whole.serverSide;
  }

  get #whole(): Revision {
    this.#unpacked ??= revisionOfRelease(storedIn(this.#record));
    return this.#unpacked;
  }
}

/**
 * The revision that a record holds. What is not in the record's labels throws an Error when it is
 * asked for and the record is not one of Helm's.
 */
export function revisionOf(record: ReleaseRecord): Revision {
  return new RecordedRevision(record);
}

/**
 * Unpacks a record. Helm writes JSON, gzipped, in base64; a Secret's data are in base64 once more.
 * Source: pkg/storage/driver/{secrets,cfgmaps,util}.go, the same in Helm 3 and 4.
 */
function storedIn(record: ReleaseRecord): StoredRelease {
  const data = record.data?.release ?? "";
  const encoded = record.kind === "Secret" ? Buffer.from(data, "base64").toString("latin1") : data;
  const bytes = Buffer.from(encoded, "base64");
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const stored: unknown = JSON.parse((gzipped ? gunzipSync(bytes) : bytes).toString());
  return stored as StoredRelease;
}

/** All that a record says of what its revision deploys: manifest, hooks, values. */
export function recordedText(record: ReleaseRecord): string {
  const { manifest, hooks, config } = storedIn(record);
  return JSON.stringify([manifest, hooks?.map((hook) => hook.manifest), config]);
}

/** Reads a release as `helm upgrade -o json` and `helm status -o json` print it. */
export function revisionOfOutput(json: string): Revision {
  return revisionOfRelease(JSON.parse(json) as StoredRelease);
}

function revisionOfRelease(stored: StoredRelease): Revision {
  const { version, info, manifest, chart, hooks, apply_method: method } = stored;
  const { name, version: chartVersion, appVersion } = chart?.metadata ?? {};
  return {
    revision: version ?? 0,
    status: (info?.status ?? "unknown") as ReleaseStatus,
    description: info?.description ?? "",
    updated: Date.parse(info?.last_deployed ?? "") || 0,
    chart: name === undefined ? "" : `${name}-${chartVersion ?? ""}`,
    appVersion: appVersion ?? "",
    manifest: manifest ?? "",
    hooks: (hooks ?? []).flatMap((hook) => hook.manifest ?? []),
    serverSide: method === "ssa",
    proof: "unknown",
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

/** Judges a history. */
export function standingOf(history: readonly Revision[]): Standing {
  const [last] = newestFirst(history);
  if (last === undefined || last.status === "uninstalled") return { state: "absent" };
  const pending = last.status.startsWith("pending-") || last.status === "uninstalling";
  return { state: pending ? "pending" : "settled", last, good: goodIn(history) };
}

/**
 * The newest revision that worked: one that was proven, or, where nobody noted anything about it,
 * one that Helm calls deployed; or superseded, for Helm marks it so before the next one is out.
 */
export function goodIn(history: readonly Revision[]): Revision | undefined {
  return newestFirst(history).find(isGood);
}

/** Whether a revision is one to go back to. */
export function isGood({ proof, status }: Revision): boolean {
  if (proof !== "unknown") return proof === "proven";
  return status === "deployed" || status === "superseded";
}

function newestFirst(history: readonly Revision[]): readonly Revision[] {
  return [...history].sort((a, b) => b.revision - a.revision);
}
