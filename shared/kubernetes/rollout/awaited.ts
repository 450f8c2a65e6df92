import type { KubernetesObject } from "../object.ts";
import { groupOf } from "../resource.ts";
import { allOf } from "../verdict/index.ts";
import type { Target } from "./target.ts";

/** The built-in kinds that a verdict means something for, by API group. */
const AWAITED: Readonly<Record<string, readonly string[]>> = {
  "": ["Pod", "ReplicationController", "Service", "PersistentVolumeClaim"],
  apps: ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"],
  batch: ["Job", "CronJob"],
  autoscaling: ["HorizontalPodAutoscaler"],
  policy: ["PodDisruptionBudget"],
  "networking.k8s.io": ["Ingress"],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
};

/** Groups of Kubernetes itself whose objects are there as soon as they are accepted. */
const SETTINGS = new Set([
  "admissionregistration.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "metrics.k8s.io",
  "node.k8s.io",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
]);

/** Awaited built-in kinds, and kinds of well-known groups, that belong to no namespace. */
const CLUSTER_SCOPED = new Set([
  "apiextensions.k8s.io/CustomResourceDefinition",
  "apiregistration.k8s.io/APIService",
  "cert-manager.io/ClusterIssuer",
  "gateway.networking.k8s.io/GatewayClass",
]);

/** Helm runs what has this annotation by itself, when its time has come, and may delete it. */
const HOOK = "helm.sh/hook";
/** Set to "false" on an object that nobody should wait for. */
export const AWAIT = "seaworthy.dev/await";

/**
 * Which objects of a rendered manifest are waited for: those of a kind whose state says whether
 * the whole works, custom resources among them. Left out are settings (ConfigMaps, RBAC and the
 * like), Helm's hooks, and what has the annotation seaworthy.dev/await: "false".
 *
 * An object without a namespace is in the default one, unless its kind is known to belong to none:
 * by itself, or by a definition in the same manifest.
 */
export function awaitedTargets(
  objects: readonly KubernetesObject[],
  defaultNamespace: string,
): readonly Target[] {
  const scopes = scopesDefinedBy(objects);
  const targets = objects.filter(isAwaited).map((object): Target => {
    const { apiVersion, kind, metadata } = object;
    const clusterScoped = isClusterScoped(apiVersion, kind, scopes);
    const namespace = clusterScoped ? undefined : (metadata.namespace ?? defaultNamespace);
    return { apiVersion, kind, namespace, name: metadata.name, incidental: true };
  });
  return uniqueTargets(targets);
}

/** Whether anybody waits for this object, other than by naming it. */
export function isAwaited({ apiVersion, kind, metadata }: KubernetesObject): boolean {
  const { annotations, name } = metadata;
  if (typeof name !== "string" || annotations?.[HOOK] !== undefined) return false;
  return String(annotations?.[AWAIT]) !== "false" && isAwaitedKind(apiVersion, kind);
}

/** Whether the state of objects of this kind says anything. */
export function isAwaitedKind(apiVersion: string, kind: string): boolean {
  const group = groupOf(apiVersion);
  return AWAITED[group]?.includes(kind) ?? !SETTINGS.has(group);
}

/**
 * Whether a rollout can be judged without a target whose kind the credentials may not read: nobody
 * named it, and it runs nothing.
 */
export function isDispensable({ apiVersion, kind, incidental }: Target): boolean {
  const group = groupOf(apiVersion);
  return incidental === true && group !== "apps" && group !== "batch" && kind !== "Pod";
}

/** Each object once, also where a manifest names it in two versions of its API. */
export function uniqueTargets(targets: readonly Target[]): readonly Target[] {
  const byName = new Map<string, Target>();
  for (const target of targets) {
    const { apiVersion, kind, namespace = "", name } = target;
    const key = [groupOf(apiVersion), kind, namespace, name].join(" ");
    const before = byName.get(key);
    byName.set(key, before === undefined ? target : merged(before, target));
  }
  return [...byName.values()];
}

/** What is named is meant, also where it was found besides. */
function merged(one: Target, other: Target): Target {
  return {
    ...one,
    demand: allOf([one.demand ?? [], other.demand ?? []].flat()),
    incidental: one.incidental === true && other.incidental === true,
  };
}

function isClusterScoped(
  apiVersion: string,
  kind: string,
  scopes: ReadonlyMap<string, string>,
): boolean {
  const name = `${groupOf(apiVersion)}/${kind}`;
  const scope = scopes.get(name);
  return scope === undefined ? CLUSTER_SCOPED.has(name) : scope === "Cluster";
}

/** What the definitions among these objects say of the scope of their kinds. */
function scopesDefinedBy(objects: readonly KubernetesObject[]): ReadonlyMap<string, string> {
  return new Map(
    objects
      .filter(({ kind }) => kind === "CustomResourceDefinition")
      .map(({ spec }: Definition) => [`${spec?.group}/${spec?.names?.kind}`, spec?.scope ?? ""]),
  );
}

interface Definition extends KubernetesObject {
  readonly spec?: {
    readonly group?: string;
    readonly scope?: string;
    readonly names?: { readonly kind?: string };
  };
}
