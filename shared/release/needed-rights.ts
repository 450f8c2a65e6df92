import {
  awaitedTargets,
  type KubernetesObject,
  type LiveObjects,
  refOf,
} from "../kubernetes/index.ts";
import type { PlacedObject } from "./place.ts";
import type { Right } from "./rights.ts";
import type { ReleaseTools } from "./tools.ts";

export interface Deeds {
  readonly placed: readonly PlacedObject[];
  /** What will be deleted. */
  readonly leaving: readonly PlacedObject[];
  readonly hooks: readonly PlacedObject[];
  readonly live: LiveObjects;
  /** Kinds (`apps/v1 Deployment`) of which nothing is known, for they may not be read. */
  readonly unreadable: ReadonlySet<string>;
}

export interface Circumstances {
  readonly namespaceIsNew: boolean;
  /** CustomResourceDefinitions that will be made or applied first. */
  readonly definitions: readonly KubernetesObject[];
  readonly appliesDefinitions: boolean;
}

/**
 * All that Helm will do, and that is done to watch it, as rights: to each object what is about to
 * happen to it, to Helm's own records, and to what tells how the workloads fare.
 */
export function neededRights(
  deeds: Deeds,
  { release, storage }: ReleaseTools,
  { namespaceIsNew, definitions, appliesDefinitions }: Circumstances,
): readonly Right[] {
  const records = storage === "Secret" ? "secrets" : "configmaps";
  return [
    ...rightsTo("v1", records, release.namespace, ["get", "list", "create", "update"]),
    ...definitions.slice(0, 1).flatMap(({ apiVersion }) => {
      const verbs = appliesDefinitions ? ["get", "create", "patch", "list", "watch"] : ["create"];
      return rightsTo(apiVersion, "customresourcedefinitions", undefined, verbs);
    }),
    ...undoing("v1", records, release.namespace, ["delete"]),
    ...deeds.placed.flatMap((one) => forObject(one, deeds)),
    ...deeds.leaving.flatMap((one) => to(one, ["get", "delete"])),
    ...deeds.hooks.flatMap(forHook),
    ...forWatching(deeds.placed, release.namespace),
  ].filter(({ namespace }) => !namespaceIsNew || namespace !== release.namespace);
}

function forObject(one: PlacedObject, { live, unreadable }: Deeds): readonly Right[] {
  const { object } = one;
  if (unreadable.has(`${object.apiVersion} ${object.kind}`)) {
    return to(one, ["get", "create", "patch"]);
  }
  if (live(refOf(object)) !== undefined) return to(one, ["get", "patch"]);
  return [...to(one, ["get", "create"]), ...toUndo(one, ["delete"])];
}

/** Helm deletes what is left of an earlier run, makes it, and watches Jobs and Pods. */
function forHook(one: PlacedObject): readonly Right[] {
  const runs = ["Job", "Pod"].includes(one.object.kind);
  return to(one, ["get", "create", "delete", ...(runs ? ["list", "watch"] : [])]);
}

function forWatching(placed: readonly PlacedObject[], home: string): readonly Right[] {
  const objects = placed.filter(({ plural }) => plural !== undefined);
  const awaited = new Set(
    awaitedTargets(
      objects.map(({ object }) => object),
      home,
    ).map(({ kind, namespace = "", name }) => [kind, namespace, name].join(" ")),
  );
  const watched = objects.filter(({ object, namespaced }) => {
    const { kind, metadata } = object;
    const namespace = namespaced ? (metadata.namespace ?? home) : "";
    return awaited.has([kind, namespace, metadata.name].join(" "));
  });
  const around = watched.flatMap(({ object }) => {
    const namespace = object.metadata.namespace ?? home;
    if (!RUNS_PODS.has(object.kind)) return [];
    const sets = object.kind === "Deployment" ? ["apps/v1 replicasets"] : [];
    return ["v1 pods", ...sets].flatMap((kind) => {
      const [apiVersion = "", resource = ""] = kind.split(" ");
      return rightsTo(apiVersion, resource, namespace, ["list", "watch"]);
    });
  });
  return [...watched.flatMap((one) => to(one, ["list", "watch"])), ...around];
}

const RUNS_PODS = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"]);

function to({ object, plural, namespaced }: PlacedObject, verbs: readonly string[]) {
  if (plural === undefined) return [];
  const namespace = namespaced ? namespaceOf(object) : undefined;
  return rightsTo(object.apiVersion, plural, namespace, verbs);
}

function toUndo(one: PlacedObject, verbs: readonly string[]): readonly Right[] {
  return to(one, verbs).map((right) => ({ ...right, onlyToUndo: true }));
}

function namespaceOf({ metadata }: KubernetesObject): string | undefined {
  return metadata.namespace;
}

function rightsTo(
  apiVersion: string,
  resource: string,
  namespace: string | undefined,
  verbs: readonly string[],
): readonly Right[] {
  return verbs.map((verb) => ({ verb, apiVersion, resource, namespace }));
}

function undoing(
  apiVersion: string,
  resource: string,
  namespace: string,
  verbs: readonly string[],
): readonly Right[] {
  return rightsTo(apiVersion, resource, namespace, verbs).map((right) => ({
    ...right,
    onlyToUndo: true,
  }));
}
