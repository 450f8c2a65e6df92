import type { KubernetesObject } from "../kubernetes/index.ts";

/** A container of a workload, as the manifest asks for it. */
export interface ManifestContainer {
  readonly name: string;
  readonly image: string;
  /** Runs to its end before the others start. */
  readonly init: boolean;
}

/** An object of a manifest that runs pods. */
export interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  /** The labels by which it finds its pods, where it has a selector of labels alone. */
  readonly selector: Readonly<Record<string, string>> | undefined;
  /** Init containers first. */
  readonly containers: readonly ManifestContainer[];
}

type Tree = Readonly<Record<string, unknown>>;

/** The objects that run pods, and the images that they ask for. */
export function workloadsOf(
  objects: readonly KubernetesObject[],
  defaultNamespace: string,
): readonly Workload[] {
  return objects.flatMap((object) => {
    const pod = podSpecOf(object);
    if (pod === undefined) return [];
    const { apiVersion, kind, metadata } = object;
    const containers = [
      ...containersIn(pod.initContainers, true),
      ...containersIn(pod.containers, false),
    ];
    const namespace = metadata.namespace ?? defaultNamespace;
    const selector = selectorOf(object);
    return [{ apiVersion, kind, name: metadata.name, namespace, selector, containers }];
  });
}

function selectorOf(object: KubernetesObject): Readonly<Record<string, string>> | undefined {
  if (object.kind === "Job" || object.kind === "CronJob") return undefined;
  const { matchLabels, matchExpressions } = treeOf(
    treeOf((object as { spec?: unknown }).spec).selector,
  );
  const labels = Object.entries(treeOf(matchLabels)).map(([key, value]) => [key, String(value)]);
  if (labels.length === 0 || matchExpressions !== undefined) return undefined;
  return Object.fromEntries(labels) as Readonly<Record<string, string>>;
}

function podSpecOf(object: KubernetesObject): Tree | undefined {
  const spec = treeOf((object as { spec?: unknown }).spec);
  switch (object.kind) {
    case "Pod":
      return spec;
    case "CronJob":
      return treeOf(treeOf(treeOf(treeOf(spec.jobTemplate).spec).template).spec);
    case "Deployment":
    case "StatefulSet":
    case "DaemonSet":
    case "ReplicaSet":
    case "Job":
      return treeOf(treeOf(spec.template).spec);
    default:
      return undefined;
  }
}

function containersIn(list: unknown, init: boolean): readonly ManifestContainer[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item) => {
    const { name, image } = treeOf(item);
    return typeof image === "string" ? [{ name: String(name), image, init }] : [];
  });
}

function treeOf(value: unknown): Tree {
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}
