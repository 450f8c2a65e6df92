import { UserError } from "../failure/index.ts";
import { ApiError, type Cluster, type KubernetesObject } from "../kubernetes/index.ts";
import {
  patchTo,
  sameState,
  stateLike,
  titleOf,
  type WorkloadChange,
  type WorkloadState,
} from "./change.ts";
import { setterOf } from "./setter.ts";

/** The owner of the fields that are set here, in an object's managedFields. */
export const IMAGES_MANAGER = "seaworthy-images";
/** Controllers write the status of an object that moves, and every write makes a new version. */
const MOST_TRIES = 12;

/**
 * Makes a change, and only if the workload still is as it was when the change was planned.
 *
 * @param dryRun have it checked by the API server, admission included, and keep nothing.
 * @returns the workload as it is then.
 * @throws {UserError} when somebody else changed the workload meanwhile, or deleted it.
 * @throws {ApiError} when the API server refuses it.
 */
export async function applyChange(
  cluster: Cluster,
  change: WorkloadChange,
  { dryRun = false } = {},
): Promise<KubernetesObject> {
  const done = await swap(cluster, change, change.before, change.after, dryRun);
  if (done.outcome === "gone") throw gone(change);
  if (done.outcome === "other") throw conflict(change, done.found, done.object);
  return done.object;
}

/** What came of taking a change back. */
export interface Reverted {
  /** `left`: somebody else changed it since; that was not touched. */
  readonly outcome: "reverted" | "untouched" | "left";
  /** For people: what was found in place of what was set. */
  readonly detail?: string;
}

/**
 * Takes a change back, if the workload still has what the change gave it.
 *
 * @throws {ApiError} when the API server refuses it.
 */
export async function revertChange(cluster: Cluster, change: WorkloadChange): Promise<Reverted> {
  const done = await swap(cluster, change, change.after, change.before, false);
  switch (done.outcome) {
    case "set":
      return { outcome: "reverted" };
    case "already":
      return { outcome: "untouched" };
    case "gone":
      return { outcome: "left", detail: `${titleOf(change)} was deleted meanwhile` };
    case "other":
      return {
        outcome: "left",
        detail: `${titleOf(change)} ${foundWords(done.found, change.after)}`,
      };
  }
}

type Swapped =
  | { readonly outcome: "set" | "already"; readonly object: KubernetesObject }
  | { readonly outcome: "other"; readonly object: KubernetesObject; readonly found: WorkloadState }
  | { readonly outcome: "gone" };

/** Compare and swap: from one state to another, and from no third one. */
async function swap(
  cluster: Cluster,
  { ref, uid }: WorkloadChange,
  from: WorkloadState,
  to: WorkloadState,
  dryRun: boolean,
): Promise<Swapped> {
  for (let left = MOST_TRIES; ; left -= 1) {
    const object = await cluster.find(ref);
    if (object === undefined || object.metadata.uid !== uid) return { outcome: "gone" };
    const found = stateLike(object, from);
    if (sameState(found, to)) return { outcome: "already", object };
    if (!sameState(found, from)) return { outcome: "other", object, found };
    try {
      const options = { fieldManager: IMAGES_MANAGER, dryRun };
      const patched = await cluster.patch(ref, patchTo(object, to), "strategic", options);
      return { outcome: "set", object: patched };
    } catch (error) {
      const moved = error instanceof ApiError && error.status === 409;
      if (!moved || left <= 1) throw error;
    }
  }
}

function gone(change: WorkloadChange): UserError {
  return new UserError({
    title: "A workload went away",
    cause: `${titleOf(change)} in namespace ${change.ref.namespace} was deleted, or made anew, while this run was about to change it.`,
    remedy: "Run again, once whoever did that is done.",
  });
}

function conflict(
  change: WorkloadChange,
  found: WorkloadState,
  object: KubernetesObject,
): UserError {
  const [name] = otherImages(found, change.before);
  const by = name === undefined ? undefined : setterOf(object, name);
  return new UserError({
    title: "Somebody else changed a workload meanwhile",
    cause: `${titleOf(change)} in namespace ${change.ref.namespace} ${foundWords(found, change.before)}${by === undefined ? "" : `; set by ${by}`}.`,
    remedy: "Find out who else deploys to it, then run again: it starts from what is there then.",
  });
}

/** `has app at x:2 and not at x:1` */
function foundWords(found: WorkloadState, expected: WorkloadState): string {
  const names = otherImages(found, expected);
  if (names.length === 0) return "has other notes of its config than before";
  const words = names.map(
    (name) =>
      `has ${name} at ${found.images[name] ?? "no image"} and not at ${expected.images[name]}`,
  );
  return words.join(" and ");
}

function otherImages(found: WorkloadState, expected: WorkloadState): readonly string[] {
  return Object.keys(expected.images).filter(
    (name) => found.images[name] !== expected.images[name],
  );
}
