/** A kind that every cluster serves, or that is so common that its short names are known. */
export interface KnownKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly clusterScoped?: boolean;
}

/** What people wait for most, so that no cluster need be asked for these names. */
export const KNOWN_KINDS: readonly KnownKind[] = [
  { apiVersion: "apps/v1", kind: "Deployment", plural: "deployments", shortNames: ["deploy"] },
  { apiVersion: "apps/v1", kind: "StatefulSet", plural: "statefulsets", shortNames: ["sts"] },
  { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets", shortNames: ["ds"] },
  { apiVersion: "apps/v1", kind: "ReplicaSet", plural: "replicasets", shortNames: ["rs"] },
  { apiVersion: "batch/v1", kind: "Job", plural: "jobs", shortNames: [] },
  { apiVersion: "batch/v1", kind: "CronJob", plural: "cronjobs", shortNames: ["cj"] },
  { apiVersion: "v1", kind: "Pod", plural: "pods", shortNames: ["po"] },
  { apiVersion: "v1", kind: "Service", plural: "services", shortNames: ["svc"] },
  {
    apiVersion: "v1",
    kind: "ReplicationController",
    plural: "replicationcontrollers",
    shortNames: ["rc"],
  },
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    plural: "persistentvolumeclaims",
    shortNames: ["pvc"],
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    plural: "ingresses",
    shortNames: ["ing"],
  },
  {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    shortNames: ["hpa"],
  },
  {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    shortNames: ["pdb"],
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    shortNames: ["crd", "crds"],
    clusterScoped: true,
  },
  {
    apiVersion: "apiregistration.k8s.io/v1",
    kind: "APIService",
    plural: "apiservices",
    shortNames: [],
    clusterScoped: true,
  },
];
