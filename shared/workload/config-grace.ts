import { GRACES, type KubernetesObject } from "../kubernetes/index.ts";

/**
 * Kinds that make no ConfigMap and no Secret. Others may: custom resources through their
 * controllers (an ExternalSecret), Jobs, and whatever may use the API by a Role.
 */
const MAKES_NONE = new Set([
  "/ConfigMap",
  "/PersistentVolumeClaim",
  "/Secret",
  "/Service",
  "/ServiceAccount",
  "apps/DaemonSet",
  "apps/Deployment",
  "apps/StatefulSet",
  "autoscaling/HorizontalPodAutoscaler",
  "networking.k8s.io/Ingress",
  "networking.k8s.io/NetworkPolicy",
  "policy/PodDisruptionBudget",
]);

/**
 * How long a ConfigMap or Secret that a pod refers to may be missing, in milliseconds.
 *
 * Helm has applied everything when the wait begins. Where nothing in the release could make the
 * object later, waiting for it only delays the bad news. The usual time stays for first installs
 * (some clusters copy Secrets into new namespaces) and for a release that just made such an object
 * itself: a kubelet may hear of a new object after the pod that needs it.
 */
export function configGrace(
  objects: readonly KubernetesObject[],
  before: readonly KubernetesObject[] | undefined,
): number {
  if (before === undefined) return GRACES.config;
  const known = new Set(before.map(keyOf));
  const mayCome = objects.some((object) => {
    const isNew = ["ConfigMap", "Secret"].includes(object.kind) && !known.has(keyOf(object));
    return isNew || !MAKES_NONE.has(`${groupOf(object)}/${object.kind}`);
  });
  return mayCome ? GRACES.config : 0;
}

function keyOf({ kind, metadata }: KubernetesObject): string {
  return [kind, metadata.namespace ?? "", metadata.name].join("/");
}

function groupOf({ apiVersion }: KubernetesObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}
