import { describe, UserError } from "../failure/index.ts";
import type { Cluster, ObjectRef } from "../kubernetes/index.ts";
import { type Proof, proofLabels } from "./proof.ts";
import { type ReleaseRecord, type Revision, recordedText, revisionOf } from "./release.ts";

/** Where Helm keeps its releases, by the value of HELM_DRIVER. */
export type StorageKind = "Secret" | "ConfigMap";

/** A release whose records are in the cluster. */
export interface StoredReleaseRef {
  readonly name: string;
  readonly namespace: string;
  readonly storage: StorageKind;
}

/**
 * @throws {UserError} for a driver whose records are not in the cluster.
 */
export function storageKind(driver: string | undefined): StorageKind {
  if (driver === undefined || /^(|secrets?)$/.test(driver)) return "Secret";
  if (/^configmaps?$/.test(driver)) return "ConfigMap";
  throw new UserError({
    title: "This Helm storage is not supported",
    cause: `HELM_DRIVER is ${JSON.stringify(driver)}: the releases are not kept in the cluster.`,
    remedy: "Use secret (the default) or configmap.",
  });
}

/**
 * All recorded revisions of a release, oldest first. Read from the API server itself: a run of
 * `helm history` would take ten times as long and leave the manifests out.
 *
 * @throws {UserError} when the records cannot be read, as for a missing permission.
 */
export async function readHistory(
  cluster: Cluster,
  release: StoredReleaseRef,
): Promise<readonly Revision[]> {
  const records = await cluster.list<ReleaseRecord>({
    apiVersion: "v1",
    kind: release.storage,
    namespace: release.namespace,
    labelSelector: `owner=helm,name=${release.name}`,
  });
  return records.items.map(revisionOf).sort((a, b) => a.revision - b.revision);
}

/** A revision of some release, as text that names all that it deploys. */
export interface RecordedText {
  /** `release NAMESPACE/NAME revision 3` */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads every revision that Helm has recorded, of all releases of a namespace or of the cluster, one
 * by one: the records of a large cluster need not be in memory at once. Both kinds of storage are
 * looked at.
 *
 * @throws {ApiError} when Secrets or ConfigMaps may not be listed.
 * @throws {UserError} when a record is damaged: what it keeps for a rollback is not known then.
 */
export async function readReleases(
  cluster: Cluster,
  namespace: string | undefined,
  take: (recorded: RecordedText) => void,
): Promise<void> {
  for (const kind of ["Secret", "ConfigMap"]) {
    const collection = { apiVersion: "v1", kind, namespace, labelSelector: "owner=helm" };
    await cluster.list<ReleaseRecord>(collection, (record) => {
      const { name = "", version = "" } = record.metadata.labels ?? {};
      const named = `release ${record.metadata.namespace}/${name} revision ${version}`;
      take({ name: named, text: textOf(record, named) });
      return { apiVersion: "v1", kind, metadata: { name: record.metadata.name } };
    });
  }
}

function textOf(record: ReleaseRecord, named: string): string {
  try {
    return recordedText(record);
  } catch (error) {
    throw new UserError(
      {
        title: "A record of Helm's cannot be read",
        cause: `${record.kind} ${record.metadata.namespace}/${record.metadata.name}, ${named}: ${describe(error)}.`,
        remedy: "Remove it if nobody will go back to that revision, and run again.",
      },
      { reason: error },
    );
  }
}

/**
 * Notes on Helm's own record of a revision whether it was seen to work. Helm keeps the note when
 * it writes the record anew, and it goes away with the record.
 *
 * @throws {ApiError} when the record may not be changed, or is gone.
 */
export async function markRevision(
  cluster: Cluster,
  release: StoredReleaseRef,
  revision: number,
  proof: Exclude<Proof, "unknown">,
): Promise<void> {
  const labels = proofLabels(revision, proof);
  await cluster.patch(recordRef(release, revision), { metadata: { labels } });
}

/** The object that holds a revision: pkg/storage/storage.go. */
export function recordRef(release: StoredReleaseRef, revision: number): ObjectRef {
  return {
    apiVersion: "v1",
    kind: release.storage,
    namespace: release.namespace,
    name: `sh.helm.release.v1.${release.name}.v${revision}`,
  };
}
