/** A kind of which the verdict on another needs all objects. */
export interface Need {
  readonly apiVersion: string;
  readonly kind: string;
  /** Belongs to no namespace. */
  readonly clusterScoped?: boolean;
  /** The verdict can do without, where the credentials may not read it. */
  readonly optional?: boolean;
}

const PODS: Need = { apiVersion: "v1", kind: "Pod" };
const REPLICA_SETS: Need = { apiVersion: "apps/v1", kind: "ReplicaSet" };
/** Without them all pods of a DaemonSet count, which is right for a first rollout. */
const REVISIONS: Need = { apiVersion: "apps/v1", kind: "ControllerRevision", optional: true };
/** Without them a DaemonSet is waited for on nodes that are away, too. */
const NODES: Need = { apiVersion: "v1", kind: "Node", clusterScoped: true, optional: true };
/** Without them only events tell whether a claim waits for its first pod. */
const STORAGE_CLASSES: Need = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  clusterScoped: true,
  optional: true,
};
/** Without them nobody can tell whether any controller serves an Ingress. */
const INGRESS_CLASSES: Need = {
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  clusterScoped: true,
  optional: true,
};
/** Without them a Service whose workloads want no pods looks like one that leads nowhere. */
const WORKLOADS: readonly Need[] = ["Deployment", "StatefulSet", "DaemonSet"].map((kind) => ({
  apiVersion: "apps/v1",
  kind,
  optional: true,
}));

const NEEDS: Readonly<Record<string, readonly Need[]>> = {
  "apps/Deployment": [PODS, REPLICA_SETS],
  "apps/StatefulSet": [PODS],
  "apps/DaemonSet": [PODS, REVISIONS, NODES],
  "apps/ReplicaSet": [PODS],
  "v1/ReplicationController": [PODS],
  "batch/Job": [PODS],
  "v1/Service": [PODS, ...WORKLOADS],
  "v1/PersistentVolumeClaim": [STORAGE_CLASSES],
  "policy/PodDisruptionBudget": WORKLOADS,
  "networking.k8s.io/Ingress": [INGRESS_CLASSES],
  "autoscaling/HorizontalPodAutoscaler": [PODS],
};

/** The kinds, beside an object's own, whose objects the verdict on it needs. */
export function neededFor(kind: {
  readonly apiVersion: string;
  readonly kind: string;
}): readonly Need[] {
  return NEEDS[familyOf(kind)] ?? [];
}

/** A kind whatever the version of its API: `apps/Deployment`, `v1/Pod`. */
export function familyOf({
  apiVersion,
  kind,
}: {
  readonly apiVersion: string;
  readonly kind: string;
}): string {
  return `${apiVersion.split("/")[0]}/${kind}`;
}
