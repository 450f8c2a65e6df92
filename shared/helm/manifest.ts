import { loadAll } from "js-yaml";
import type { KubernetesObject } from "../kubernetes/index.ts";

type Tree = Readonly<Record<string, unknown>>;

/**
 * The objects of a manifest as Helm renders it, lists taken apart. A document that is no object
 * (a comment, an empty template) is left out.
 *
 * @throws {YAMLException} where the text is not YAML; Helm would not have accepted it either.
 */
export function objectsOf(manifest: string): readonly KubernetesObject[] {
  // Helm's own reader lets the last of two equal keys win.
  const documents = loadAll(manifest, { json: true }) as readonly unknown[];
  return documents.flatMap(objectsIn);
}

function objectsIn(document: unknown): readonly KubernetesObject[] {
  const { kind, apiVersion, items, metadata } = treeOf(document);
  if (typeof kind !== "string" || typeof apiVersion !== "string") return [];
  if (kind.endsWith("List") && Array.isArray(items)) return items.flatMap(objectsIn);
  return typeof treeOf(metadata).name === "string" ? [document as KubernetesObject] : [];
}

function treeOf(value: unknown): Tree {
  return typeof value === "object" && value !== null ? (value as Tree) : {};
}
