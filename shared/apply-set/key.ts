import type { KubernetesObject } from "../kubernetes/index.ts";

/** The API group of `group/version`; the core group is the empty text. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** Names an object, whichever version of its API is spoken. */
export function keyOfRef({ apiVersion, kind, namespace, name }: Named): string {
  return [groupOf(apiVersion), kind, namespace ?? "", name].join("/");
}

export function keyOf({ apiVersion, kind, metadata }: KubernetesObject): string {
  return keyOfRef({ apiVersion, kind, namespace: metadata.namespace, name: metadata.name });
}

/** `Deployment.apps`, `Service`: a kind with its group, as ApplySets write it. */
export function groupKindOf(object: {
  readonly apiVersion: string;
  readonly kind: string;
}): string {
  const group = groupOf(object.apiVersion);
  return group === "" ? object.kind : `${object.kind}.${group}`;
}
