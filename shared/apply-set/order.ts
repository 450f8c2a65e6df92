import type { KubernetesObject } from "../kubernetes/index.ts";
import { groupOf } from "./key.ts";

/**
 * What must be there before what: kinds of a line are applied together, those of the next line
 * after them. Kinds that are not named, as custom resources, come with the workloads' line end.
 */
const STAGES: readonly (readonly string[])[] = [
  ["Namespace", "PriorityClass", "StorageClass", "RuntimeClass", "IngressClass", "GatewayClass"],
  ["CustomResourceDefinition"],
  ["ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount"],
  ["ClusterRole", "Role"],
  ["ClusterRoleBinding", "RoleBinding"],
  ["ConfigMap", "Secret", "PersistentVolume"],
  ["PersistentVolumeClaim", "Service", "Endpoints", "EndpointSlice", "PodDisruptionBudget"],
];
const WORKLOADS = [
  "Deployment",
  "StatefulSet",
  "DaemonSet",
  "ReplicaSet",
  "ReplicationController",
  "Pod",
  "Job",
  "CronJob",
];
const LAST: readonly (readonly string[])[] = [
  ["HorizontalPodAutoscaler"],
  ["Ingress", "APIService", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"],
  [
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
  ],
];

/** Groups of Kubernetes itself; a kind of another group is a custom resource, whatever its name. */
const OWN = /^$|^[a-z]+$|\.k8s\.io$/;
const GATEWAY = "gateway.networking.k8s.io";

/** The stage of a kind, counted from 0; those of a stage may be applied at once. */
export function stageOf({
  apiVersion,
  kind,
}: Pick<KubernetesObject, "apiVersion" | "kind">): number {
  const group = groupOf(apiVersion);
  const custom = STAGES.length + 1;
  if (!OWN.test(group) && group !== GATEWAY) return custom;
  const early = STAGES.findIndex((kinds) => kinds.includes(kind));
  if (early >= 0) return early;
  if (WORKLOADS.includes(kind)) return STAGES.length;
  const late = LAST.findIndex((kinds) => kinds.includes(kind));
  return late < 0 ? custom : STAGES.length + 2 + late;
}

/** The items in the order in which they are applied, those of one stage together. */
export function inStages<T>(
  items: readonly T[],
  objectOf: (item: T) => KubernetesObject,
): readonly (readonly T[])[] {
  const stages = new Map<number, T[]>();
  for (const item of items) {
    const stage = stageOf(objectOf(item));
    stages.set(stage, [...(stages.get(stage) ?? []), item]);
  }
  return [...stages].sort(([a], [b]) => a - b).map(([, group]) => group);
}
