import { isDeepStrictEqual } from "node:util";
import { ApiError, type Cluster, isNotFound, type KubernetesObject } from "../kubernetes/index.ts";
import { pack, type RevisionContent } from "./record.ts";
import {
  ANNOTATIONS,
  type AppliedRevision,
  LABELS,
  type NewRevision,
  type RecordSecret,
  recordName,
  recordSecrets,
  revisionsFrom,
} from "./revision.ts";
import type { ApplySetRef } from "./set.ts";

const SECRETS = { apiVersion: "v1", kind: "Secret" } as const;

/**
 * All recorded revisions of a set, oldest first.
 *
 * @throws {ApiError} when Secrets of the set's namespace may not be listed.
 */
export async function readApplied(
  cluster: Cluster,
  set: ApplySetRef,
): Promise<readonly AppliedRevision[]> {
  return revisionsFrom(await readRecords(cluster, set));
}

/**
 * Reads what every recorded revision of every set deploys, as text, in a namespace or the cluster.
 *
 * @throws {ApiError} when Secrets may not be listed.
 * @throws {UserError} when a record is damaged.
 */
export async function readSets(
  cluster: Cluster,
  namespace: string | undefined,
  take: (recorded: { readonly name: string; readonly text: string }) => void,
): Promise<void> {
  const labelSelector = LABELS.set;
  const { items } = await cluster.list<RecordSecret>({ ...SECRETS, namespace, labelSelector });
  const sets = Map.groupBy(
    items,
    ({ metadata }) => `${metadata.namespace}/${metadata.labels?.[LABELS.set]}`,
  );
  for (const [set, secrets] of sets) {
    for (const revision of revisionsFrom(secrets)) {
      // The content of one that failed and was put back is not kept: nobody goes back to it.
      const kept = revision.images.length > 0 || revision.status !== "failed" || revision.left;
      if (!kept) continue;
      const text = JSON.stringify([revision.images, revision.content()]);
      take({ name: `set ${set} revision ${revision.revision}`, text });
    }
  }
}

async function readRecords(cluster: Cluster, set: ApplySetRef): Promise<readonly RecordSecret[]> {
  const { items } = await cluster.list<RecordSecret>({
    ...SECRETS,
    namespace: set.namespace,
    labelSelector: `${LABELS.set}=${set.name}`,
  });
  return items;
}

/** What a history says of the world: what to go back to, and what a run may have left behind. */
export interface Standing {
  /** The last good revision. */
  readonly good: AppliedRevision | undefined;
  /** A later one that is in the cluster still, whole or in part. */
  readonly unfinished: AppliedRevision | undefined;
  /** The highest number that was given. */
  readonly last: number;
}

/** What a history, oldest first, says of the world. */
export function standingOf(history: readonly AppliedRevision[]): Standing {
  const good = history.findLast(({ status }) => status === "good");
  const newest = history.at(-1);
  const isLeft = newest?.status === "pending" || (newest?.status === "failed" && newest.left);
  return { good, unfinished: isLeft ? newest : undefined, last: newest?.revision ?? 0 };
}

/**
 * Writes down what a revision is about to do, before anything of it is done. May be tried again: a
 * write whose answer was lost is found done.
 */
export async function beginRevision(
  cluster: Cluster,
  set: ApplySetRef,
  revision: NewRevision,
  content: RevisionContent,
): Promise<void> {
  for (const secret of recordSecrets(set, revision, content.images, pack(content))) {
    // Parts without a head are of a run that died: nobody counts them, and they are written over.
    if (partOf(secret) > 0) await cluster.apply(secret, { force: true });
    else await cluster.create(secret).catch((error: unknown) => ifOurs(error, cluster, secret));
  }
}

/** Accepts a Secret that exists already, if it is the very one that was to be made. */
async function ifOurs(error: unknown, cluster: Cluster, secret: RecordSecret): Promise<void> {
  if (!(error instanceof ApiError && error.apiReason === "AlreadyExists")) throw error;
  const { name } = secret.metadata;
  const { namespace } = secret.metadata;
  const found = await cluster.find<RecordSecret>({ ...SECRETS, namespace, name });
  if (!isDeepStrictEqual(found?.data, secret.data)) throw error;
}

/** How a revision ended. */
export interface Ending {
  readonly status: "good" | "failed";
  readonly cause?: string | undefined;
  /** It failed, and was left in the cluster as it is. */
  readonly left?: boolean;
}

/**
 * Writes down how a revision ended. The content of one that failed and was put back is dropped:
 * nobody will want it again.
 */
export async function endRevision(
  cluster: Cluster,
  set: ApplySetRef,
  revision: number,
  { status, cause, left = false }: Ending,
): Promise<void> {
  const dropped = status === "failed" && !left;
  await cluster.patch(headRef(set, revision), {
    metadata: {
      labels: { [LABELS.status]: status },
      annotations: {
        [ANNOTATIONS.left]: left ? "true" : null,
        [ANNOTATIONS.cause]: cause?.slice(0, 4_000) ?? null,
        ...(dropped ? { [ANNOTATIONS.parts]: "0", [ANNOTATIONS.images]: null } : {}),
      },
    },
    ...(dropped ? { data: null } : {}),
  });
}

/**
 * Removes what is kept no longer: revisions older than the `keep` newest good ones, parts of
 * failed ones, and parts that a run left behind before it wrote their head.
 */
export async function trimHistory(cluster: Cluster, set: ApplySetRef, keep: number): Promise<void> {
  const secrets = await readRecords(cluster, set);
  for (const name of superfluous(secrets, keep)) {
    await cluster.delete({ ...SECRETS, namespace: set.namespace, name });
  }
}

/** The names of the Secrets that are kept no longer, heads before their parts. */
export function superfluous(secrets: readonly RecordSecret[], keep: number): readonly string[] {
  const history = revisionsFrom(secrets);
  const good = history.filter(({ status }) => status === "good");
  const oldest = good.at(-keep)?.revision ?? 0;
  const whole = new Set(
    history
      .filter(({ status, left, revision }) => status !== "failed" || (left && revision >= oldest))
      .filter(({ revision }) => revision >= oldest)
      .map(({ revision }) => revision),
  );
  const isKept = ({ metadata: { labels = {} } }: KubernetesObject) => {
    const revision = Number(labels[LABELS.revision]);
    return whole.has(revision) || (labels[LABELS.part] === "0" && revision >= oldest);
  };
  return secrets
    .filter((secret) => !isKept(secret))
    .sort((a, b) => partOf(a) - partOf(b))
    .map(({ metadata }) => metadata.name);
}

/** Whether a revision is recorded: a write whose answer was lost may have been done. */
export async function isRecorded(
  cluster: Cluster,
  set: ApplySetRef,
  revision: number,
): Promise<boolean> {
  try {
    return (await cluster.find(headRef(set, revision))) !== undefined;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

function headRef(set: ApplySetRef, revision: number) {
  return { ...SECRETS, namespace: set.namespace, name: recordName(set, revision) };
}

function partOf({ metadata }: KubernetesObject): number {
  return Number(metadata.labels?.[LABELS.part] ?? 0);
}
