import type { KubernetesObject } from "../kubernetes/index.ts";
import { IMAGES_MANAGER } from "../workload-images/index.ts";

/** Who owns which fields of an object, as the API server keeps it. */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: FieldTree;
  readonly subresource?: string;
}

export interface FieldTree {
  readonly [name: string]: FieldTree;
}

/**
 * Managers of `kubectl apply` without --server-side: what it wrote was declared, and what is
 * declared no more is to go. Source: the names that client-go's csaupgrade is called with by kubectl.
 */
const CLIENT_SIDE = ["kubectl-client-side-apply", "before-first-apply"];
/** What images were set by before a workload came under a manifest. */
const OURS = [IMAGES_MANAGER];

export function managedFieldsOf({ metadata }: KubernetesObject): readonly ManagedFields[] {
  return (metadata as { managedFields?: readonly ManagedFields[] }).managedFields ?? [];
}

/** Kinds that people make by `kubectl create secret` and the like, for want of a manifest. */
const MADE_BY_HAND = ["Secret", "ConfigMap"];

/**
 * Whether a manager's fields are taken over without a word when an object becomes ours: those of
 * `kubectl apply`, our own, and for Secrets and ConfigMaps those of `kubectl create`.
 */
export function isPredecessor(manager: string | undefined, own: string, kind: string): boolean {
  if (manager === undefined) return false;
  if (manager === "kubectl-create") return MADE_BY_HAND.includes(kind);
  return [...CLIENT_SIDE, ...OURS, own].includes(manager);
}

/**
 * The managed fields of an object with those of `kubectl apply`, and those that we wrote by other
 * means than server-side apply, made our own: so that they conflict no more, and that a field which
 * is declared no more goes away. Undefined when there is nothing to take over.
 */
export function takenOver(
  object: KubernetesObject,
  own: string,
): readonly ManagedFields[] | undefined {
  const entries = managedFieldsOf(object);
  const old = entries.filter((entry) => isTakenOver(entry, own, object.kind));
  const [newest] = old;
  if (newest === undefined) return undefined;
  const mine = entries.find((entry) => entry.manager === own && entry.operation === "Apply");
  // Fields are named after the version of the API in which they were written.
  const { apiVersion } = mine ?? newest;
  const same = old.filter((entry) => entry.apiVersion === apiVersion);
  const merged: ManagedFields = {
    manager: own,
    operation: "Apply",
    ...(apiVersion === undefined ? {} : { apiVersion }),
    time: mine?.time ?? newest.time ?? new Date(0).toISOString(),
    fieldsType: "FieldsV1",
    fieldsV1: [mine, ...same].reduce<FieldTree>(
      (sum, entry) => union(sum, entry?.fieldsV1 ?? {}),
      {},
    ),
  };
  return [merged, ...entries.filter((entry) => entry !== mine && !old.includes(entry))];
}

function isTakenOver(
  { manager, operation, subresource }: ManagedFields,
  own: string,
  kind: string,
): boolean {
  return operation === "Update" && !subresource && isPredecessor(manager, own, kind);
}

function union(a: FieldTree, b: FieldTree): FieldTree {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...keys].map((key) => {
      const [left, right] = [a[key], b[key]];
      return [key, left && right ? union(left, right) : (left ?? right ?? {})];
    }),
  );
}

/** The managers that own a field, given as in `f:spec`, `f:replicas`. */
export function ownersOf(object: KubernetesObject, path: readonly string[]): readonly string[] {
  return managedFieldsOf(object).flatMap(({ manager, fieldsV1 }) => {
    let node: FieldTree | undefined = fieldsV1;
    for (const name of path) node = node?.[name];
    return node === undefined || manager === undefined ? [] : [manager];
  });
}
