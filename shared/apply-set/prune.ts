import { UserError } from "../failure/index.ts";
import {
  type Cluster,
  inLanes,
  isForbidden,
  isNotFound,
  type KubernetesObject,
  nameOf,
  type ServedResource,
} from "../kubernetes/index.ts";
import { managedFieldsOf } from "./field-owners.ts";
import { keyOf } from "./key.ts";
import { type Inventory, PART_OF } from "./parent.ts";
import { type ApplySetRef, setId } from "./set.ts";
import type { PruneSettings } from "./settings.ts";

/** Kinds with which data may go. They are deleted only when the user names them. */
const PRECIOUS = new Set([
  "Namespace",
  "PersistentVolumeClaim",
  "PersistentVolume",
  "CustomResourceDefinition",
]);

/** The kinds that pruning by a label looks at, as `kubectl apply --prune` does, without Namespaces. */
const BY_SELECTOR = [
  "ConfigMap",
  "PersistentVolumeClaim",
  "Pod",
  "ReplicationController",
  "Secret",
  "Service",
  "Job.batch",
  "CronJob.batch",
  "Ingress.networking.k8s.io",
  "DaemonSet.apps",
  "Deployment.apps",
  "ReplicaSet.apps",
  "StatefulSet.apps",
];

/** Whether losing an object of this kind may lose what nobody can have again. */
export function isPrecious(kind: string, alsoKinds: readonly string[]): boolean {
  return PRECIOUS.has(kind) && !alsoKinds.some((also) => also.toLowerCase() === kind.toLowerCase());
}

/** What is in the cluster and belongs to the set, and what could not be looked at. */
export interface Members {
  readonly objects: readonly KubernetesObject[];
  readonly notes: readonly string[];
}

/** All members of a set, by the inventory that its parent holds. */
export async function findMembers(
  cluster: Cluster,
  set: ApplySetRef,
  inventory: Inventory,
  served: readonly ServedResource[],
): Promise<Members> {
  const labelSelector = `${PART_OF}=${setId(set)}`;
  const namespaces = [...new Set([set.namespace, ...inventory.namespaces])];
  return list(cluster, inventory.groupKinds, namespaces, labelSelector, served);
}

/**
 * What matches a selector, of the usual kinds, and was applied: by us or by kubectl. What a
 * controller made is its controller's.
 */
export async function findBySelector(
  cluster: Cluster,
  selector: string,
  namespaces: readonly string[],
  served: readonly ServedResource[],
  fieldManager: string,
): Promise<Members> {
  const found = await list(cluster, BY_SELECTOR, namespaces, selector, served);
  const objects = found.objects.filter((object) => {
    const { ownerReferences = [], annotations = {} } = object.metadata;
    const applied =
      annotations["kubectl.kubernetes.io/last-applied-configuration"] !== undefined ||
      managedFieldsOf(object).some(
        ({ manager, operation }) => manager === fieldManager && operation === "Apply",
      );
    return applied && ownerReferences.length === 0;
  });
  return { ...found, objects };
}

async function list(
  cluster: Cluster,
  groupKinds: readonly string[],
  namespaces: readonly string[],
  labelSelector: string,
  served: readonly ServedResource[],
): Promise<Members> {
  const notes: string[] = [];
  const collections = groupKinds.flatMap((groupKind) => {
    const [kind = "", ...group] = groupKind.split(".");
    const resource = served.find((one) => one.kind === kind && one.group === group.join("."));
    // A kind whose definition is gone has no objects any more.
    if (resource === undefined) return [];
    const { apiVersion, namespaced } = resource;
    const places = namespaced ? namespaces : [undefined];
    return places.map((namespace) => ({ apiVersion, kind, namespace, labelSelector }));
  });
  const lists = await inLanes(collections, async (collection) => {
    try {
      return (await cluster.list(collection)).items;
    } catch (error) {
      if (isNotFound(error)) return [];
      if (!isForbidden(error)) throw error;
      notes.push(`What could be deleted of kind ${collection.kind} is not known: ${error.cause}`);
      return [];
    }
  });
  return { objects: lists.flat(), notes };
}

/** What will be deleted, and what will not although it is in the set no more. */
export interface PruneList {
  readonly gone: readonly KubernetesObject[];
  readonly kept: readonly KubernetesObject[];
}

/** Of what belongs to the set, all that is desired no more and not on its way out already. */
export function pruneList(
  members: readonly KubernetesObject[],
  desired: ReadonlySet<string>,
  alsoKinds: readonly string[],
): PruneList {
  const superfluous = members.filter(
    (object) => !desired.has(keyOf(object)) && object.metadata.deletionTimestamp === undefined,
  );
  return {
    gone: superfluous.filter(({ kind }) => !isPrecious(kind, alsoKinds)),
    kept: superfluous.filter(({ kind }) => isPrecious(kind, alsoKinds)),
  };
}

/**
 * @param members how many objects the set has now.
 * @throws {UserError} when more would be deleted than the user allows, naming them.
 */
export function refuseTooMany(
  gone: readonly KubernetesObject[],
  members: number,
  { most }: Pick<PruneSettings, "most">,
): void {
  const percent = (gone.length / Math.max(1, members)) * 100;
  const overCount = most.count !== undefined && gone.length > most.count;
  const overShare = most.percent !== undefined && percent > most.percent;
  if (!overCount && !overShare) return;
  const limits = [
    ...(most.count === undefined ? [] : [`${most.count}`]),
    ...(most.percent === undefined ? [] : [`${most.percent}%`]),
  ];
  const names = gone
    .slice(0, 20)
    .map((object) => nameOf({ kind: object.kind, name: object.metadata.name }));
  throw new UserError({
    title: "Too much would be deleted",
    cause: `${gone.length} of ${members} objects of the set are in the manifests no more and would be deleted, but the limit is ${limits.join(" and ")}: ${names.join(", ")}${gone.length > 20 ? ", ..." : ""}.`,
    remedy:
      "Check that all manifests are named. If it is meant, raise `prune-limit` for this run. Nothing was changed.",
  });
}
