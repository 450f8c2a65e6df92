import {
  type Cluster,
  findAll,
  inLanes,
  type KubernetesObject,
  type LiveObjects,
  nameOf,
  refOf,
  type ServedResource,
} from "../kubernetes/index.ts";
import { findAutoscaled } from "./autoscaled.ts";
import type { DesiredObject } from "./desired.ts";
import { groupOf, keyOf } from "./key.ts";
import { inStages } from "./order.ts";
import { type Inventory, PART_OF, readParent } from "./parent.ts";
import { findBySelector, findMembers, isPrecious, pruneList, refuseTooMany } from "./prune.ts";
import { discreet, type Refused, refusedError } from "./refusal.ts";
import { type PlacedObject, placed } from "./scope.ts";
import { type ApplySetRef, setId } from "./set.ts";
import type { DeploySettings } from "./settings.ts";
import { type ApplyContext, isSame, type Tried, tryOut } from "./try-out.ts";

/** What will be done with an object. */
export interface PlannedObject extends DesiredObject {
  /** `unchecked`: it could not be tried out, for what it needs comes with the set itself. */
  readonly deed: "create" | "change" | "recreate" | "nothing" | "unchecked";
  readonly live: KubernetesObject | undefined;
  /** What the API server would store, where it was asked. */
  readonly expected: KubernetesObject | undefined;
  /** It exists, and the set takes it in now. */
  readonly adopted: boolean;
  /** Fields of others have to be taken over. */
  readonly force: boolean;
  readonly note?: string | undefined;
}

/** All that a run will do, found out without changing anything. */
export interface Plan {
  readonly objects: readonly PlannedObject[];
  /** What will be deleted once the rest is ready. */
  readonly gone: readonly KubernetesObject[];
  /** What is in the set no more, and is left, for data may go with it. */
  readonly kept: readonly KubernetesObject[];
  /** Where members of the set were before. */
  readonly inventory: Inventory | undefined;
  readonly context: ApplyContext;
  readonly notes: readonly string[];
}

/**
 * Finds out what deploying a set would do: every kind is looked up, every object is compared with
 * what is there and tried out on the API server, and what is in the set no more is listed.
 *
 * @param strays what earlier revisions that came to nothing had made.
 * @throws {UserError} with everything that stands in the way, before anything is touched.
 */
export async function planDeploy(
  cluster: Cluster,
  set: ApplySetRef,
  desired: readonly DesiredObject[],
  settings: DeploySettings,
  strays: readonly KubernetesObject[] = [],
): Promise<Plan> {
  const [served, inventory] = await Promise.all([
    cluster.resources({ fresh: true }),
    readParent(cluster, set),
  ]);
  const objects = placed(desired, served, {
    namespace: set.namespace,
    otherNamespaces: settings.otherNamespaces,
  });
  const [live, autoscaled] = await Promise.all([
    findAll(
      cluster,
      objects.filter((one) => one.served).map(({ object }) => refOf(object)),
    ),
    findAutoscaled(
      cluster,
      objects.map(({ object }) => object),
    ),
  ]);
  const context = { cluster, setId: setId(set), autoscaled: autoscaled.keys, settings };
  const planned = await tryAll(objects, live, context, set);
  const pruned = await planPrune(
    cluster,
    set,
    inventory,
    planned,
    served.resources,
    settings,
    strays,
  );
  return {
    ...pruned,
    objects: planned,
    inventory,
    context,
    notes: [...autoscaled.notes, ...pruned.notes],
  };
}

async function tryAll(
  objects: readonly PlacedObject[],
  live: LiveObjects,
  context: ApplyContext,
  set: ApplySetRef,
): Promise<readonly PlannedObject[]> {
  const definitions = objects.filter(({ object }) => object.kind === "CustomResourceDefinition");
  const others = objects.filter((one) => !definitions.includes(one));
  const coming: Coming = {
    namespaces: namespacesComing(objects, live, context.settings, set),
    accounts: new Set(
      objects
        .filter(({ object }) => object.kind === "ServiceAccount")
        .map(({ object }) => keyOf(object)),
    ),
    kinds: new Set<string>(),
  };
  const refusals: Refused[] = [];
  const tryEach = (some: readonly PlacedObject[]) =>
    inLanes(some, async (one) => {
      const planned = await tryOne(one, live(refOf(one.object)), context, coming);
      if ("refusal" in planned) refusals.push(planned);
      return planned;
    });
  const defined = await tryEach(definitions);
  for (const one of defined) {
    if (!("refusal" in one) && one.deed !== "nothing") coming.kinds.add(kindDefinedBy(one.object));
  }
  const rest = await tryEach(others);
  if (refusals.length > 0) throw refusedError(refusals, false);
  const all = [...defined, ...rest].filter((one): one is PlannedObject => !("refusal" in one));
  return inStages(all, ({ object }) => object).flat();
}

/** What is not there yet, but will be by the time that it is needed. */
interface Coming {
  readonly namespaces: ReadonlySet<string>;
  readonly accounts: ReadonlySet<string>;
  /** Kinds whose definition changes. */
  readonly kinds: Set<string>;
}

function namespacesComing(
  objects: readonly PlacedObject[],
  live: LiveObjects,
  { createNamespace }: DeploySettings,
  set: ApplySetRef,
): ReadonlySet<string> {
  const made = objects
    .filter(({ object }) => object.kind === "Namespace" && live(refOf(object)) === undefined)
    .map(({ object }) => object.metadata.name);
  const asked = createNamespace
    ? [set.namespace, ...objects.flatMap(({ object }) => object.metadata.namespace ?? [])]
    : [];
  return new Set([...made, ...asked]);
}

async function tryOne(
  one: PlacedObject,
  live: KubernetesObject | undefined,
  context: ApplyContext,
  coming: Coming,
): Promise<PlannedObject | Refused> {
  const { object, origin } = one;
  const foreign = ownedElsewhere(live, context.setId);
  if (foreign !== undefined) return { object, origin, refusal: foreign };
  const base = { object, origin, live, adopted: isAdopted(live, context.setId), force: false };
  if (!one.served) {
    return {
      ...base,
      deed: "unchecked",
      expected: undefined,
      note: "its kind comes with this set",
    };
  }
  const tried = await tryOut(object, live, context);
  return decided({ ...base, object: tried.object, force: tried.force }, tried, context, coming);
}

function decided(
  base: Omit<PlannedObject, "deed" | "expected">,
  { expected, refusal, leftOut, warnings }: Tried,
  { settings }: ApplyContext,
  coming: Coming,
): PlannedObject | Refused {
  const { object, origin, live } = base;
  if (refusal !== undefined) {
    if (refusal.kind === "immutable" && mayRecreate(object, settings.recreate)) {
      return { ...base, deed: "recreate", expected: undefined, note: "deleted and made anew" };
    }
    const note = whyUnchecked(object, refusal, coming);
    if (note === undefined) return { object, origin, refusal: discreet(refusal, object) };
    return { ...base, deed: "unchecked", expected: undefined, note };
  }
  const notes = [
    ...(leftOut.length === 0
      ? []
      : [`left out, for the kind has no such field: ${leftOut.join(", ")}`]),
    ...warnings,
  ];
  const note = notes.length === 0 ? {} : { note: notes.join("; ") };
  if (live === undefined || expected === undefined)
    return { ...base, deed: "create", expected, ...note };
  const same = isSame(live, expected, settings.fieldManager);
  return { ...base, deed: same ? "nothing" : "change", expected, ...note };
}

/** Why an object could not be tried out although nothing is wrong with it. */
function whyUnchecked(
  object: KubernetesObject,
  refusal: Refused["refusal"],
  { namespaces, accounts, kinds }: Coming,
): string | undefined {
  if (refusal.kind === "no-namespace" && namespaces.has(refusal.namespace)) {
    return "its namespace comes with this set";
  }
  if (refusal.kind === "schema" && kinds.has(`${groupOf(object.apiVersion)}/${object.kind}`)) {
    return "the definition of its kind changes with this set";
  }
  const account = refusal.kind === "other" && object.kind === "Pod" && serviceAccountOf(object);
  if (account && accounts.has(account)) return "its service account comes with this set";
  return undefined;
}

function serviceAccountOf(object: KubernetesObject): string {
  const { serviceAccountName = "default" } =
    (object as { spec?: { serviceAccountName?: string } }).spec ?? {};
  return ["", "ServiceAccount", object.metadata.namespace ?? "", serviceAccountName].join("/");
}

/** Whether the user allows an object to be deleted and made anew. */
export function mayRecreate(
  { kind, metadata }: KubernetesObject,
  recreate: readonly string[],
): boolean {
  if (isPrecious(kind, [])) return false;
  const names = [kind, nameOf({ kind, name: metadata.name })].map((name) => name.toLowerCase());
  return recreate.some((one) => names.includes(one.toLowerCase()));
}

function ownedElsewhere(
  live: KubernetesObject | undefined,
  id: string,
): Refused["refusal"] | undefined {
  const owner = live?.metadata.labels?.[PART_OF];
  if (owner === undefined || owner === id) return undefined;
  return {
    kind: "other",
    words: `it belongs to another set (its label ${PART_OF} is ${owner})`,
    remedy:
      "An object belongs to one set: take it out of the other set's manifests and run that first, or remove the label.",
  };
}

function isAdopted(live: KubernetesObject | undefined, id: string): boolean {
  return live !== undefined && live.metadata.labels?.[PART_OF] !== id;
}

function kindDefinedBy(definition: KubernetesObject): string {
  const { group, names } =
    (definition as { spec?: { group?: string; names?: { kind?: string } } }).spec ?? {};
  return `${group}/${names?.kind}`;
}

async function planPrune(
  cluster: Cluster,
  set: ApplySetRef,
  inventory: Inventory | undefined,
  planned: readonly PlannedObject[],
  served: readonly ServedResource[],
  { prune, fieldManager }: DeploySettings,
  strays: readonly KubernetesObject[],
): Promise<Pick<Plan, "gone" | "kept" | "notes">> {
  const desired = new Set(planned.map(({ object }) => keyOf(object)));
  const namespaces = planned.flatMap(({ object }) => object.metadata.namespace ?? []);
  const found =
    prune.by === "set" && inventory !== undefined
      ? await findMembers(cluster, set, inventory, served)
      : prune.by === "selector"
        ? await findBySelector(
            cluster,
            prune.selector ?? "",
            [...new Set([set.namespace, ...namespaces])],
            served,
            fieldManager,
          )
        : { objects: [], notes: [] };
  const list = pruneList(found.objects, desired, prune.alsoKinds);
  const stray = pruneList(strays, desired, prune.alsoKinds);
  const strayKeys = new Set(stray.gone.map(keyOf));
  // What a failed revision made was never part of the set: the limit does not protect it.
  const deliberate = list.gone.filter((object) => !strayKeys.has(keyOf(object)));
  refuseTooMany(deliberate, found.objects.length - strays.length, prune);
  return { gone: [...deliberate, ...stray.gone], kept: list.kept, notes: found.notes };
}
