import type { KubernetesObject } from "../kubernetes/index.ts";
import { isTree, type Tree } from "./list.ts";

/** What the API server and its controllers write by themselves. */
const METADATA = new Set([
  "managedFields",
  "resourceVersion",
  "uid",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
]);
const ANNOTATIONS = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deployment.kubernetes.io/revision",
  "deprecated.daemonset.template.generation",
]);

/**
 * What somebody may have asked for of an object: without status and bookkeeping, and the two ways
 * to write a Secret made one.
 */
export function withoutNoise(object: KubernetesObject | undefined): Tree | undefined {
  if (object === undefined) return undefined;
  const { apiVersion: _, kind, metadata, status: _status, ...rest } = object as unknown as Tree;
  const own = Object.entries(isTree(metadata) ? metadata : {}).filter(
    ([key]) => !METADATA.has(key),
  );
  const kept = Object.fromEntries(own);
  const { annotations } = kept;
  const quiet = isTree(annotations)
    ? Object.fromEntries(Object.entries(annotations).filter(([key]) => !ANNOTATIONS.has(key)))
    : {};
  const { annotations: _noisy, ...others } = kept;
  const clean = Object.keys(quiet).length === 0 ? others : { ...others, annotations: quiet };
  return { metadata: clean, ...(kind === "Secret" ? encoded(rest) : rest) };
}

/** A Secret's plain texts where the API server puts them. */
function encoded({ stringData, data, ...rest }: Tree): Tree {
  if (!isTree(stringData)) return data === undefined ? rest : { ...rest, data };
  const texts = Object.entries(stringData).map(([key, text]) => [
    key,
    Buffer.from(String(text)).toString("base64"),
  ]);
  return { ...rest, data: { ...(isTree(data) ? data : {}), ...Object.fromEntries(texts) } };
}
