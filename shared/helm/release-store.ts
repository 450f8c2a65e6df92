import { UserError } from "../failure/index.ts";
import type { Cluster } from "../kubernetes/index.ts";
import { type ReleaseRecord, type Revision, revisionOf } from "./release.ts";

/** Where Helm keeps its releases, by the value of HELM_DRIVER. */
export type StorageKind = "Secret" | "ConfigMap";

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
  release: { readonly name: string; readonly namespace: string; readonly storage: StorageKind },
): Promise<readonly Revision[]> {
  const records = await cluster.list<ReleaseRecord>({
    apiVersion: "v1",
    kind: release.storage,
    namespace: release.namespace,
    labelSelector: `owner=helm,name=${release.name}`,
  });
  return records.items.map(revisionOf).sort((a, b) => a.revision - b.revision);
}
