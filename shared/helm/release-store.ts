import { UserError } from "../failure/index.ts";
import type { Cluster, ObjectRef } from "../kubernetes/index.ts";
import { type Proof, proofLabels } from "./proof.ts";
import { type ReleaseRecord, type Revision, revisionOf } from "./release.ts";

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
