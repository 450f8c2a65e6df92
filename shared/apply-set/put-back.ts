import { UserError } from "../failure/index.ts";
import {
  ApiError,
  type Cluster,
  inLanes,
  type KubernetesObject,
  nameOf,
  type ObjectRef,
  refOf,
} from "../kubernetes/index.ts";
import { managedFieldsOf } from "./field-owners.ts";
import { keyOf, keyOfRef } from "./key.ts";
import { inStages, stageOf } from "./order.ts";
import { type Patience, withPatience } from "./patience.ts";
import { mayRecreate } from "./plan.ts";
import { isPrecious } from "./prune.ts";
import { refusalOf } from "./refusal.ts";
import type { ApplyContext } from "./try-out.ts";
import { deleteForAnew, writeObject } from "./write-object.ts";

/** What is to be put back, and to what. */
export interface PutBackOrder {
  /** The objects that may have been changed or made. */
  readonly touched: readonly KubernetesObject[];
  /** The objects of the last good revision. */
  readonly good: readonly KubernetesObject[];
  /** Objects as they were, of those that no good revision knows. */
  readonly before: readonly KubernetesObject[];
  readonly alsoKinds: readonly string[];
}

export type PutBackStep =
  | { readonly doing: "apply"; readonly object: KubernetesObject }
  | { readonly doing: "restore"; readonly object: KubernetesObject }
  | { readonly doing: "delete"; readonly object: KubernetesObject }
  | { readonly doing: "leave"; readonly object: KubernetesObject; readonly why: string };

/** What has to be done for each touched object to be as it was. */
export function putBackSteps(order: PutBackOrder): readonly PutBackStep[] {
  const good = new Map(order.good.map((object) => [keyOf(object), object]));
  const before = new Map(order.before.map((object) => [keyOf(object), object]));
  return order.touched.map((object): PutBackStep => {
    const wanted = good.get(keyOf(object));
    if (object.kind === "Job" && object.apiVersion.startsWith("batch/") && wanted !== undefined) {
      return { doing: "leave", object, why: "a Job that ran is not run again" };
    }
    if (wanted !== undefined) return { doing: "apply", object: wanted };
    const snapshot = before.get(keyOf(object));
    if (snapshot !== undefined) return { doing: "restore", object: snapshot };
    if (isPrecious(object.kind, order.alsoKinds)) {
      return { doing: "leave", object, why: "it is new, and data may be in it" };
    }
    return { doing: "delete", object };
  });
}

/** What came of putting a set back. */
export interface PutBackReport {
  readonly restored: readonly ObjectRef[];
  readonly removed: readonly ObjectRef[];
  /** What was left, and why. */
  readonly left: readonly string[];
}

/**
 * Puts objects back: first to what they were, in the order of kinds, then away with what is new, in
 * the opposite order. Everything is tried, also when something fails.
 *
 * @throws {UserError} naming what could not be put back.
 */
export async function putBack(
  order: PutBackOrder,
  context: ApplyContext,
  patience: Patience,
): Promise<PutBackReport> {
  const steps = putBackSteps(order);
  const failures: string[] = [];
  const attempt = async (step: PutBackStep) => {
    try {
      await take(step, context, patience);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(`${nameIn(step.object)}: ${error.cause}`);
    }
  };
  const back = steps.filter(({ doing }) => doing === "apply" || doing === "restore");
  for (const stage of inStages(back, ({ object }) => object)) await inLanes(stage, attempt);
  const away = steps.filter(({ doing }) => doing === "delete");
  const stages = inStages(away, ({ object }) => object).toReversed();
  for (const stage of stages) await inLanes(stage, attempt);
  if (failures.length > 0) throw notPutBack(failures);
  return {
    restored: back.map(({ object }) => refOf(object)),
    removed: away.map(({ object }) => refOf(object)),
    left: steps.flatMap((step) =>
      step.doing === "leave" ? [`${nameIn(step.object)} is left as it is: ${step.why}`] : [],
    ),
  };
}

async function take(step: PutBackStep, context: ApplyContext, patience: Patience): Promise<void> {
  const { cluster, settings } = context;
  const { object } = step;
  if (step.doing === "leave") return;
  const ref = refOf(object);
  const live = await withPatience(() => cluster.find(ref), patience);
  if (step.doing === "delete") {
    if (live === undefined) return;
    await withPatience(() => cluster.delete(ref, { uid: live.metadata.uid }), patience);
    return;
  }
  const write = (known: KubernetesObject | undefined) =>
    step.doing === "apply"
      ? writeObject(object, known, true, context, patience)
      : restore(object, known, cluster, settings.fieldManager, patience);
  try {
    await write(live);
  } catch (error) {
    const fixed = error instanceof ApiError && refusalOf(error).kind === "immutable";
    if (!fixed || live === undefined || !mayRecreate(object, settings.recreate)) throw error;
    await deleteForAnew(cluster, live, patience);
    await write(undefined);
  }
}

/** Writes an object as it was once, its owners of fields included. */
async function restore(
  snapshot: KubernetesObject,
  live: KubernetesObject | undefined,
  cluster: Cluster,
  fieldManager: string,
  patience: Patience,
): Promise<void> {
  const { uid: _, resourceVersion: _version, ...metadata } = snapshot.metadata;
  if (live === undefined) {
    const { managedFields: _fields, ...own } = metadata as typeof metadata & {
      managedFields?: unknown;
    };
    await withPatience(
      () => cluster.create({ ...snapshot, metadata: own }, { fieldManager }),
      patience,
    );
    return;
  }
  const { resourceVersion } = live.metadata;
  const current = { ...metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await withPatience(
    () => cluster.replace({ ...snapshot, metadata: current }, { fieldManager }),
    patience,
  );
}

/** What is kept of an object so that it can be written again as it was. */
export function snapshotOf(object: KubernetesObject): KubernetesObject {
  const { status: _, metadata, ...rest } = object as KubernetesObject & { status?: unknown };
  const { resourceVersion, generation, creationTimestamp, ...own } = metadata;
  const managedFields = managedFieldsOf(object).filter(({ subresource }) => !subresource);
  return { ...rest, metadata: { ...own, managedFields } as KubernetesObject["metadata"] };
}

function nameIn({ kind, metadata }: KubernetesObject): string {
  return nameOf({ kind, name: metadata.name });
}

function notPutBack(failures: readonly string[]): UserError {
  const told = failures.slice(0, 10);
  const rest = failures.length - told.length;
  return new UserError({
    title: "Not everything could be put back",
    cause: [...told, ...(rest > 0 ? [`And ${rest} more.`] : [])].join("\n"),
    remedy: "Run again: the next run goes on from what is recorded in the cluster.",
  });
}

/** Objects named twice are put back once; the first one counts. */
export function distinct(objects: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const byKey = new Map<string, KubernetesObject>();
  for (const object of objects) if (!byKey.has(keyOf(object))) byKey.set(keyOf(object), object);
  return [...byKey.values()].sort((a, b) => stageOf(a) - stageOf(b));
}

/** An object of which nothing but its name is known. */
export function bare({ apiVersion, kind, namespace, name }: ObjectRef): KubernetesObject {
  return { apiVersion, kind, metadata: namespace === undefined ? { name } : { name, namespace } };
}

/** References named twice count once. */
export function distinctRefs<T extends ObjectRef>(refs: readonly T[]): readonly T[] {
  return [...new Map(refs.map((ref) => [keyOfRef(ref), ref])).values()];
}
