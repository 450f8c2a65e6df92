import { templatePathOf } from "../job-config/index.ts";
import type { KubernetesObject } from "../kubernetes/index.ts";

type Fields = Readonly<Record<string, unknown>>;

interface Managed {
  readonly managedFields?: readonly { readonly manager?: string; readonly fieldsV1?: Fields }[];
}

/**
 * Who set the image of a container, as the API server keeps it in an object's managedFields: a tree
 * whose keys are `f:` and a field's name, or `k:` and what an item of a list is known by.
 */
export function setterOf(object: KubernetesObject, container: string): string | undefined {
  const template = (templatePathOf(object) ?? []).map((name) => `f:${name}`);
  const item = [`k:${JSON.stringify({ name: container })}`, "f:image"];
  const managed = (object.metadata as Managed).managedFields ?? [];
  const setter = managed.find(({ fieldsV1 }) =>
    ["f:containers", "f:initContainers"].some((list) =>
      has(fieldsV1, [...template, "f:spec", list, ...item]),
    ),
  );
  return setter?.manager;
}

function has(fields: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  if (typeof fields !== "object" || fields === null || !(key in fields)) return false;
  return has((fields as Fields)[key], rest);
}
