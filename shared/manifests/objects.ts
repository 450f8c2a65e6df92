import { UserError } from "../failure/index.ts";
import type { KubernetesObject } from "../kubernetes/index.ts";
import type { ManifestDocument } from "./documents.ts";

/** An object of a manifest, and where it stands. */
export interface SourcedObject {
  readonly object: KubernetesObject;
  /** `k8s/web.yaml, document 2, line 14` */
  readonly origin: string;
}

interface Problem {
  readonly words: string;
  readonly document: ManifestDocument;
}

type Tree = Readonly<Record<string, unknown>>;

const MOST_TOLD = 10;

/**
 * The objects of documents, lists taken apart.
 *
 * @throws {UserError} naming every document that is no object with apiVersion, kind and name.
 */
export function objectsIn(documents: readonly ManifestDocument[]): readonly SourcedObject[] {
  const found: SourcedObject[] = [];
  const problems: Problem[] = [];
  for (const document of documents) {
    for (const one of itemsOf(document.value, originOf(document))) {
      const words = problemOf(one.value);
      if (words === undefined) {
        found.push({
          object: withoutServersFields(one.value as KubernetesObject),
          origin: one.origin,
        });
      } else {
        problems.push({ words: `${one.origin}: ${words}`, document });
      }
    }
  }
  const [first] = problems;
  if (first !== undefined) throw unusable(problems, first);
  return found;
}

interface Item {
  readonly value: unknown;
  readonly origin: string;
}

/** The items of a list, of lists within lists too; anything else is one by itself. */
function* itemsOf(value: unknown, origin: string): Generator<Item> {
  if (!isTree(value) || !Array.isArray(value.items) || !isListKind(value.kind)) {
    yield { value, origin };
    return;
  }
  const kind = String(value.kind).slice(0, -"List".length);
  for (const [index, item] of value.items.entries()) {
    // The items of a list of one kind need not repeat it.
    const typed =
      isTree(item) && item.kind === undefined && kind !== ""
        ? { apiVersion: value.apiVersion, kind, ...item }
        : item;
    yield* itemsOf(typed, `${origin}, item ${index + 1}`);
  }
}

function isListKind(kind: unknown): boolean {
  return typeof kind === "string" && kind.endsWith("List");
}

function originOf({ source, number, line }: ManifestDocument): string {
  return `${source.name}, document ${number}, line ${line}`;
}

/** Why a value is no object that can be applied; undefined when it is one. */
function problemOf(value: unknown): string | undefined {
  if (!isTree(value)) {
    const what = Array.isArray(value) ? "a list" : `a ${typeof value}`;
    return `it is ${what}, not an object of Kubernetes`;
  }
  const { apiVersion, kind, metadata } = value;
  if (!isText(kind)) return "it has no kind";
  if (!isText(apiVersion)) return `the ${kind} has no apiVersion`;
  if (/^kustomize\.config\.k8s\.io\//.test(apiVersion)) {
    return "it belongs to kustomize: name its folder, not its files";
  }
  if (metadata !== undefined && !isTree(metadata)) return `the metadata of the ${kind} is no map`;
  const { name, generateName, namespace } = isTree(metadata) ? metadata : ({} as Tree);
  if (typeof name === "number" || typeof name === "boolean") {
    return `the name of the ${kind} is a ${typeof name}: put it in quotes`;
  }
  if (!isText(name)) {
    return isText(generateName)
      ? `the ${kind} has generateName ${JSON.stringify(generateName)}: what is applied again and again needs a name`
      : `the ${kind} has no name`;
  }
  if (namespace !== undefined && namespace !== null && typeof namespace !== "string") {
    return `the namespace of the ${kind} ${name} is no text`;
  }
  return undefined;
}

/** Only the API server writes these; manifests that were read from a cluster hold them. */
function withoutServersFields(object: KubernetesObject): KubernetesObject {
  const { status: _, metadata, ...rest } = object as KubernetesObject & { status?: unknown };
  const {
    uid: _uid,
    resourceVersion: _version,
    generation: _generation,
    creationTimestamp: _created,
    ...kept
  } = metadata;
  const { managedFields: _fields, selfLink: _link, ...own } = kept as Tree;
  const named = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== null));
  return { ...rest, metadata: named as unknown as KubernetesObject["metadata"] };
}

function unusable(problems: readonly Problem[], first: Problem): UserError {
  const { source, line } = first.document;
  const told = problems.slice(0, MOST_TOLD).map(({ words }) => `${words}.`);
  const rest = problems.length - told.length;
  return new UserError({
    title:
      problems.length === 1
        ? "A manifest is no object of Kubernetes"
        : `${problems.length} manifests are no objects of Kubernetes`,
    cause: [...told, ...(rest > 0 ? [`And ${rest} more.`] : [])].join("\n"),
    remedy: "Correct the manifests; nothing was changed.",
    ...(source.file === undefined ? {} : { at: { file: source.file, line } }),
  });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
