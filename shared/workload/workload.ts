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
  /** The labels of its pods, as its template gives them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Init containers first. */
  readonly containers: readonly ManifestContainer[];
  /** Whether its update strategy leaves pods of earlier revisions: OnDelete, or a partition. */
  readonly keepsOldPods: boolean;
}

type Tree = Readonly<Record<string, unknown>>;

/** The objects that run pods, and the images that they ask for. */
export function workloadsOf(
  objects: readonly KubernetesObject[],
  defaultNamespace: string,
): readonly Workload[] {
  return objects.flatMap((object) => {
    const template = podTemplateOf(object);
    if (template === undefined) return [];
    const pod = treeOf(template.spec);
    const { apiVersion, kind, metadata } = object;
    const containers = [
      ...containersIn(pod.initContainers, true),
      ...containersIn(pod.containers, false),
    ];
    const namespace = metadata.namespace ?? defaultNamespace;
    const selector = selectorOf(object);
    const labels = labelsOf(template);
    const named = { apiVersion, kind, name: metadata.name, namespace };
    return [{ ...named, selector, labels, containers, keepsOldPods: keepsOldPods(object) }];
  });
}

function selectorOf(object: KubernetesObject): Readonly<Record<string, string>> | undefined {
  if (object.kind === "Job" || object.kind === "CronJob") return undefined;
  const { matchLabels, matchExpressions } = treeOf(
    treeOf((object as { spec?: unknown }).spec).selector,
  );
  const labels = textsOf(matchLabels);
  const isWhole = Object.keys(labels).length > 0 && matchExpressions === undefined;
  return isWhole ? labels : undefined;
}

function keepsOldPods(object: KubernetesObject): boolean {
  const { type, rollingUpdate } = treeOf(
    treeOf((object as { spec?: unknown }).spec).updateStrategy,
  );
  return type === "OnDelete" || Number(treeOf(rollingUpdate).partition ?? 0) > 0;
}

/** What pods are made from: metadata and spec. A bare pod is its own template. */
function podTemplateOf(object: KubernetesObject): Tree | undefined {
  const spec = treeOf((object as { spec?: unknown }).spec);
  switch (object.kind) {
    case "Pod":
      return { metadata: object.metadata, spec };
    case "CronJob":
      return treeOf(treeOf(treeOf(spec.jobTemplate).spec).template);
    case "Deployment":
    case "StatefulSet":
    case "DaemonSet":
    case "ReplicaSet":
    case "Job":
      return treeOf(spec.template);
    default:
      return undefined;
  }
}

function labelsOf({ metadata }: Tree): Readonly<Record<string, string>> {
  return textsOf(treeOf(metadata).labels);
}

/** Labels as the API server reads them; YAML may have taken one for a number. */
function textsOf(labels: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(treeOf(labels)).map(([key, value]) => [key, String(value)]),
  );
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
