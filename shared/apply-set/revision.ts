import { describe, UserError } from "../failure/index.ts";
import type { KubernetesObject } from "../kubernetes/index.ts";
import type { WorkloadChange } from "../workload-images/index.ts";
import type { DesiredObject } from "./desired.ts";
import { type AppliedImage, type RevisionContent, unpack } from "./record.ts";
import type { ApplySetRef } from "./set.ts";

/** `pending`: being applied, or left so by a run that died. `failed`: came to nothing. */
export type RevisionStatus = "good" | "failed" | "pending";

/** A revision of a set, as its record in the cluster tells it. */
export interface AppliedRevision {
  /** Counted from 1. */
  readonly revision: number;
  readonly status: RevisionStatus;
  /** RFC 3339. */
  readonly appliedAt: string;
  /** The run that applied it, as people know it. */
  readonly by: string;
  /** Address of the run's page. */
  readonly page?: string | undefined;
  /** What the user calls it: a version, a tag, a commit. */
  readonly version?: string | undefined;
  /** Why it was deployed, in the words of who did it. */
  readonly reason?: string | undefined;
  /** Why it failed. */
  readonly cause?: string | undefined;
  /** Whether a revision that is not good was left in the cluster as it is. */
  readonly left: boolean;
  /** The revision of which this one is a repetition, after a rollback. */
  readonly rollbackTo?: number | undefined;
  /** Empty for a failed revision that was put back: its content is not kept. */
  readonly images: readonly AppliedImage[];
  /** @throws {UserError} when the record is damaged. */
  objects(): readonly DesiredObject[];
  changes(): readonly WorkloadChange[];
  content(): RevisionContent;
}

/** The Secret that is the head of a record, or a further part of it. */
export interface RecordSecret extends KubernetesObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export const RECORD_TYPE = "seaworthy.dev/revision.v1";
export const LABELS = {
  set: "seaworthy.dev/apply-set",
  revision: "seaworthy.dev/revision",
  status: "seaworthy.dev/status",
  part: "seaworthy.dev/part",
} as const;
export const ANNOTATIONS = {
  appliedAt: "seaworthy.dev/applied-at",
  by: "seaworthy.dev/by",
  page: "seaworthy.dev/run",
  version: "seaworthy.dev/version",
  reason: "seaworthy.dev/reason",
  cause: "seaworthy.dev/cause",
  left: "seaworthy.dev/left",
  rollbackTo: "seaworthy.dev/rollback-to",
  images: "seaworthy.dev/images",
  parts: "seaworthy.dev/parts",
  sha256: "seaworthy.dev/sha256",
} as const;
const DATA = "revision";

export function recordName(set: ApplySetRef, revision: number, part = 0): string {
  return `applyset-${set.name}.v${revision}${part === 0 ? "" : `.${part}`}`;
}

/** What is written of a revision when it begins. */
export interface NewRevision {
  readonly revision: number;
  readonly appliedAt: string;
  readonly by: string;
  readonly page?: string | undefined;
  readonly version?: string | undefined;
  readonly reason?: string | undefined;
  readonly rollbackTo?: number | undefined;
}

/** The Secrets of a pending revision, the head last: where the head is, all is. */
export function recordSecrets(
  set: ApplySetRef,
  { revision, appliedAt, by, page, version, reason, rollbackTo }: NewRevision,
  images: readonly AppliedImage[],
  packed: { readonly parts: readonly Buffer[]; readonly sha256: string },
): readonly RecordSecret[] {
  const annotations = {
    [ANNOTATIONS.appliedAt]: appliedAt,
    [ANNOTATIONS.by]: by,
    ...(page === undefined ? {} : { [ANNOTATIONS.page]: page }),
    ...(version === undefined ? {} : { [ANNOTATIONS.version]: version }),
    ...(reason === undefined ? {} : { [ANNOTATIONS.reason]: reason }),
    ...(rollbackTo === undefined ? {} : { [ANNOTATIONS.rollbackTo]: String(rollbackTo) }),
    [ANNOTATIONS.images]: JSON.stringify(images),
    [ANNOTATIONS.parts]: String(packed.parts.length),
    [ANNOTATIONS.sha256]: packed.sha256,
  };
  const secrets = packed.parts.map((bytes, part) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: recordName(set, revision, part),
      namespace: set.namespace,
      labels: {
        "app.kubernetes.io/managed-by": "seaworthy",
        [LABELS.set]: set.name,
        [LABELS.revision]: String(revision),
        [LABELS.part]: String(part),
        ...(part === 0 ? { [LABELS.status]: "pending" } : {}),
      },
      ...(part === 0 ? { annotations } : {}),
    },
    type: RECORD_TYPE,
    data: { [DATA]: bytes.toString("base64") },
  }));
  return secrets.reverse();
}

/** Revisions from the Secrets of a set, oldest first; parts without a head are passed over. */
export function revisionsFrom(secrets: readonly RecordSecret[]): readonly AppliedRevision[] {
  const heads = secrets.filter(({ metadata }) => metadata.labels?.[LABELS.part] === "0");
  return heads.map((head) => revisionFrom(head, secrets)).sort((a, b) => a.revision - b.revision);
}

function revisionFrom(head: RecordSecret, all: readonly RecordSecret[]): AppliedRevision {
  const { labels = {}, annotations = {}, name } = head.metadata;
  const status = labels[LABELS.status];
  const rollbackTo = annotations[ANNOTATIONS.rollbackTo];
  const content = (): RevisionContent => {
    const count = Number(annotations[ANNOTATIONS.parts] ?? 1);
    const parts = all
      .filter(({ metadata }) => metadata.labels?.[LABELS.revision] === labels[LABELS.revision])
      .sort((a, b) => partOf(a) - partOf(b));
    try {
      if (count === 0) throw new Error("its content was not kept");
      if (parts.length !== count) throw new Error(`of ${count} parts there are ${parts.length}`);
      const bytes = parts.map(({ data }) => Buffer.from(data?.[DATA] ?? "", "base64"));
      return unpack({ parts: bytes, sha256: annotations[ANNOTATIONS.sha256] ?? "" });
    } catch (error) {
      throw damaged(name, head.metadata.namespace, error);
    }
  };
  return {
    revision: Number(labels[LABELS.revision]),
    status: status === "good" || status === "failed" ? status : "pending",
    appliedAt: annotations[ANNOTATIONS.appliedAt] ?? "",
    by: annotations[ANNOTATIONS.by] ?? "",
    page: annotations[ANNOTATIONS.page],
    version: annotations[ANNOTATIONS.version],
    reason: annotations[ANNOTATIONS.reason],
    cause: annotations[ANNOTATIONS.cause],
    left: annotations[ANNOTATIONS.left] === "true",
    rollbackTo: rollbackTo === undefined ? undefined : Number(rollbackTo),
    images: imagesFrom(annotations[ANNOTATIONS.images]),
    objects: () => content().objects,
    changes: () => content().changes,
    content,
  };
}

function partOf({ metadata }: RecordSecret): number {
  return Number(metadata.labels?.[LABELS.part] ?? 0);
}

function imagesFrom(text: string | undefined): readonly AppliedImage[] {
  try {
    return JSON.parse(text ?? "[]") as readonly AppliedImage[];
  } catch {
    // Somebody edited it; the content has them too.
    return [];
  }
}

function damaged(name: string, namespace: string | undefined, error: unknown): UserError {
  return new UserError(
    {
      title: "The record of a revision cannot be read",
      cause: `Secret ${name} in namespace ${namespace}: ${describe(error)}.`,
      remedy: "Choose another revision; this one cannot be had again from its record.",
    },
    { reason: error },
  );
}
