import { UserError } from "../failure/index.ts";
import {
  ApiError,
  type Cluster,
  isNotFound,
  type KubernetesObject,
  nameOf,
  type ObjectRef,
  refOf,
} from "../kubernetes/index.ts";
import { takenOver } from "./field-owners.ts";
import { type Patience, withPatience } from "./patience.ts";
import { type ApplyContext, asSent } from "./try-out.ts";

/** An object that is on its way out, or is made anew, has this long to go. */
const GONE_MS = 90_000;
const LOOK_MS = 250;
/** A kind that was defined a moment ago is served a moment later. */
const KIND_MS = 10_000;
/** Changes that others made between our look and our write are looked at again this often. */
const TRIES = 4;

/**
 * Applies an object: takes the fields of `kubectl apply` over first, leaves replicas to an
 * autoscaler, and waits for one of its name that is being deleted.
 *
 * @throws {ApiError} when the API server refuses it.
 */
export async function writeObject(
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  force: boolean,
  context: ApplyContext,
  patience: Patience,
): Promise<KubernetesObject> {
  const { cluster, settings } = context;
  const ref = refOf(object);
  const since = patience.clock.now();
  let known = live;
  if (known?.metadata.deletionTimestamp !== undefined) {
    await untilGone(cluster, known, patience);
    known = undefined;
  }
  for (let tries = 1; ; tries += 1) {
    try {
      if (known !== undefined) await takeOver(cluster, known, settings.fieldManager, patience);
      const sent = asSent(object, known, context);
      const options = { fieldManager: settings.fieldManager, force };
      return await withPatience(() => cluster.apply(sent, options), patience);
    } catch (error) {
      const kindIsNew = isNotFound(error) && !(error as ApiError).apiMessage.includes("namespaces");
      const early = kindIsNew && patience.clock.now() - since < KIND_MS;
      if (!early && !(isConflict(error) && tries < TRIES)) throw error;
      await patience.clock.sleep(LOOK_MS, patience.signal);
      known = await withPatience(() => cluster.find(ref), patience);
      // A refusal that is not about a change in between comes again, and is told then.
    }
  }
}

async function takeOver(
  cluster: Cluster,
  live: KubernetesObject,
  fieldManager: string,
  patience: Patience,
): Promise<void> {
  const managedFields = takenOver(live, fieldManager);
  const { resourceVersion } = live.metadata;
  if (managedFields === undefined || resourceVersion === undefined) return;
  const patch = [
    { op: "replace", path: "/metadata/managedFields", value: managedFields },
    { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
  ];
  await withPatience(() => cluster.patch(refOf(live), patch, "json", { fieldManager }), patience);
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.status === 409;
}

/**
 * Deletes an object and waits until its name is free. The pods of a StatefulSet stay, and are
 * adopted by the new one.
 */
export async function deleteForAnew(
  cluster: Cluster,
  live: KubernetesObject,
  patience: Patience,
): Promise<void> {
  const { uid } = live.metadata;
  const propagation = live.kind === "StatefulSet" ? "Orphan" : "Background";
  await withPatience(() => cluster.delete(refOf(live), { propagation, uid }), patience);
  await untilGone(cluster, live, patience);
}

/**
 * Waits until an object is there no more, or another one of its name is.
 *
 * @throws {UserError} when that takes too long, as with a finalizer that nobody serves.
 */
export async function untilGone(
  cluster: Cluster,
  object: KubernetesObject,
  patience: Patience,
): Promise<void> {
  const giveUpAt = patience.clock.now() + GONE_MS;
  const ref: ObjectRef = refOf(object);
  for (;;) {
    const now = await withPatience(() => cluster.find(ref), patience);
    if (now === undefined || now.metadata.uid !== object.metadata.uid) return;
    if (patience.clock.now() > giveUpAt) throw stays(now);
    await patience.clock.sleep(LOOK_MS, patience.signal);
  }
}

function stays(object: KubernetesObject): UserError {
  const { finalizers } = object.metadata as { finalizers?: readonly string[] };
  const { name, namespace } = object.metadata;
  const held =
    finalizers === undefined || finalizers.length === 0
      ? ""
      : `; its finalizers are ${finalizers.join(", ")}`;
  return new UserError({
    title: "An object does not go away",
    cause: `${nameOf({ kind: object.kind, name })}${namespace === undefined ? "" : ` in namespace ${namespace}`} is being deleted for more than ${GONE_MS / 1_000} s${held}.`,
    remedy: "Look at what its finalizers wait for: the controller that serves them may not run.",
  });
}
