import { nearestName, UserError } from "../failure/index.ts";
import type { KubernetesObject, ServedResource, ServedResources } from "../kubernetes/index.ts";
import type { DesiredObject } from "./desired.ts";
import { groupOf, keyOf } from "./key.ts";

/** A desired object at its place in the cluster. */
export interface PlacedObject extends DesiredObject {
  /** Whether the cluster serves its kind; otherwise a definition of the set will make it do so. */
  readonly served: boolean;
}

export interface PlaceRules {
  /** Where objects go that name no namespace. */
  readonly namespace: string;
  /** Further namespaces in which the set may have objects; `*` for any. */
  readonly otherNamespaces: readonly string[];
}

interface Definition extends KubernetesObject {
  readonly spec?: {
    readonly group?: string;
    readonly scope?: string;
    readonly names?: { readonly kind?: string };
    readonly versions?: readonly { readonly name?: string; readonly served?: boolean }[];
  };
}

const MOST_TOLD = 10;

/**
 * Finds out for every object whether it belongs into a namespace, and puts it into its own.
 *
 * @throws {UserError} naming every kind that the cluster does not serve, every object that is there
 * twice with both places, and every namespace that the set may not use.
 */
export function placed(
  desired: readonly DesiredObject[],
  served: ServedResources,
  rules: PlaceRules,
): readonly PlacedObject[] {
  const definitions = definedBy(desired);
  const known = new Map(served.resources.map((one) => [`${one.apiVersion}/${one.kind}`, one]));
  const unknown: string[] = [];
  const result = desired.flatMap(({ object, origin }): readonly PlacedObject[] => {
    const kind = `${object.apiVersion}/${object.kind}`;
    const namespaced = known.get(kind)?.namespaced ?? definitions.get(kind);
    if (namespaced === undefined) {
      unknown.push(`${origin}: ${unknownKind(object, served)}`);
      return [];
    }
    return [{ object: inNamespace(object, namespaced, rules), origin, served: known.has(kind) }];
  });
  if (unknown.length > 0) throw notServed(unknown);
  refuseDuplicates(result);
  refuseStrangers(result, rules);
  return result;
}

/** Kinds that definitions in the set make, and whether they are namespaced. */
function definedBy(desired: readonly DesiredObject[]): ReadonlyMap<string, boolean> {
  return new Map(
    desired.flatMap(({ object }) => {
      if (object.kind !== "CustomResourceDefinition") return [];
      const { spec } = object as Definition;
      return (spec?.versions ?? [])
        .filter(({ served }) => served !== false)
        .map(({ name }): [string, boolean] => [
          `${spec?.group}/${name}/${spec?.names?.kind}`,
          spec?.scope !== "Cluster",
        ]);
    }),
  );
}

function inNamespace(
  object: KubernetesObject,
  namespaced: boolean,
  { namespace }: PlaceRules,
): KubernetesObject {
  const { namespace: own, ...metadata } = object.metadata;
  return {
    ...object,
    metadata: namespaced ? { ...metadata, namespace: own || namespace } : metadata,
  };
}

function unknownKind(
  { apiVersion, kind, metadata }: KubernetesObject,
  { resources, unavailable }: ServedResources,
): string {
  const what = `${kind} ${metadata.name}: the cluster has no kind ${kind} in ${apiVersion}`;
  if (unavailable.includes(apiVersion)) {
    return `${kind} ${metadata.name}: the server behind ${apiVersion} does not answer.`;
  }
  const same = resources.filter((one) => one.kind === kind);
  const elsewhere = same.find(({ group }) => group === groupOf(apiVersion)) ?? same[0];
  if (elsewhere !== undefined) return `${what}; it serves ${kind} in ${elsewhere.apiVersion}.`;
  const near = nearKind(apiVersion, kind, resources);
  return near === undefined
    ? `${what}.`
    : `${what}; did you mean ${near.kind} of ${near.apiVersion}?`;
}

function nearKind(
  apiVersion: string,
  kind: string,
  resources: readonly ServedResource[],
): ServedResource | undefined {
  const here = resources.filter((one) => one.apiVersion === apiVersion);
  const nearIn = (list: readonly ServedResource[]) => {
    const name = nearestName(
      kind,
      list.map((one) => one.kind),
    );
    return list.find((one) => one.kind === name);
  };
  return nearIn(here) ?? nearIn(resources);
}

function notServed(lines: readonly string[]): UserError {
  return new UserError({
    title:
      lines.length === 1
        ? "The cluster does not know a kind"
        : "The cluster does not know some kinds",
    cause: shortened(lines),
    remedy:
      "Correct apiVersion and kind; a custom resource needs its definition, in this set or installed before. Nothing was changed.",
  });
}

function refuseDuplicates(objects: readonly PlacedObject[]): void {
  const seen = new Map<string, PlacedObject>();
  const twice: string[] = [];
  for (const one of objects) {
    const key = keyOf(one.object);
    const before = seen.get(key);
    const { kind, metadata } = one.object;
    if (before === undefined) seen.set(key, one);
    else twice.push(`${kind} ${metadata.name} is in ${before.origin} and in ${one.origin}.`);
  }
  if (twice.length === 0) return;
  throw new UserError({
    title:
      twice.length === 1 ? "An object is there twice" : `${twice.length} objects are there twice`,
    cause: shortened(twice),
    remedy:
      "Remove one of them. Are a base and an overlay of it named both? Name the overlay's folder alone. Nothing was changed.",
  });
}

function refuseStrangers(objects: readonly PlacedObject[], rules: PlaceRules): void {
  const { namespace, otherNamespaces } = rules;
  if (otherNamespaces.includes("*")) return;
  const made = objects.filter(({ object }) => object.kind === "Namespace");
  const allowed = new Set([
    namespace,
    ...otherNamespaces,
    ...made.map(({ object }) => object.metadata.name),
  ]);
  const strangers = objects.filter(({ object }) => {
    const own = object.metadata.namespace;
    return own !== undefined && !allowed.has(own);
  });
  const names = [...new Set(strangers.flatMap(({ object }) => object.metadata.namespace ?? []))];
  if (names.length === 0) return;
  throw new UserError({
    title: "Objects are in another namespace",
    cause: shortened(
      strangers.map(
        ({ object: { kind, metadata }, origin }) =>
          `${origin}: ${kind} ${metadata.name} is in namespace ${metadata.namespace}, and the set is in ${namespace}.`,
      ),
    ),
    remedy: `If that is meant, allow it: \`other-namespaces: ${names.join(" ")}\`. Nothing was changed.`,
  });
}

function shortened(lines: readonly string[]): string {
  const rest = lines.length - MOST_TOLD;
  return [...lines.slice(0, MOST_TOLD), ...(rest > 0 ? [`And ${rest} more.`] : [])].join("\n");
}
