import type { KubernetesObject } from "../kubernetes/index.ts";

type Tree = Readonly<Record<string, unknown>>;

/** Kinds that make pods anew when their template changes. The template of a Job cannot change. */
const ROLLING = new Set(["Deployment", "StatefulSet", "DaemonSet", "CronJob"]);

/** Where the template of pods is in a workload that makes pods anew when it changes. */
export function templatePathOf(object: KubernetesObject): readonly string[] | undefined {
  if (!ROLLING.has(object.kind) || !/^(apps|batch)\//.test(object.apiVersion)) return undefined;
  return object.kind === "CronJob"
    ? ["spec", "jobTemplate", "spec", "template"]
    : ["spec", "template"];
}

/** The template of a workload's pods. */
export function templateOf(object: KubernetesObject): Tree | undefined {
  const path = templatePathOf(object);
  return path?.reduce<Tree>((tree, key) => treeOf(tree[key]), object as unknown as Tree);
}

/**
 * The ConfigMaps and Secrets that the pods of a template read: `configmap/name`, `secret/name`.
 * Those for pulling images are not among them, for running containers do not see them.
 */
export function referencesOf(template: Tree): ReadonlySet<string> {
  const spec = treeOf(template.spec);
  const containers = [...listOf(spec.containers), ...listOf(spec.initContainers)];
  return new Set([
    ...containers.flatMap(({ env }) => listOf(env).flatMap(fromVariable)),
    ...containers.flatMap(({ envFrom }) => listOf(envFrom).flatMap(fromAll)),
    ...listOf(spec.volumes).flatMap(fromVolume),
  ]);
}

function fromVariable(variable: Tree): readonly string[] {
  const { secretKeyRef, configMapKeyRef } = treeOf(variable.valueFrom);
  return [
    ...titled("secret", treeOf(secretKeyRef).name),
    ...titled("configmap", treeOf(configMapKeyRef).name),
  ];
}

function fromAll({ secretRef, configMapRef }: Tree): readonly string[] {
  return [
    ...titled("secret", treeOf(secretRef).name),
    ...titled("configmap", treeOf(configMapRef).name),
  ];
}

function fromVolume({ secret, configMap, projected }: Tree): readonly string[] {
  return [
    ...titled("secret", treeOf(secret).secretName),
    ...titled("configmap", treeOf(configMap).name),
    ...listOf(treeOf(projected).sources).flatMap((source) => [
      ...titled("secret", treeOf(source.secret).name),
      ...titled("configmap", treeOf(source.configMap).name),
    ]),
  ];
}

function titled(kind: string, name: unknown): readonly string[] {
  return typeof name === "string" && name !== "" ? [`${kind}/${name}`] : [];
}

function listOf(value: unknown): readonly Tree[] {
  return Array.isArray(value) ? value.map(treeOf) : [];
}

function treeOf(value: unknown): Tree {
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}
