import { UserError } from "../failure/index.ts";
import {
  ApiError,
  inLanes,
  type KubernetesObject,
  type ObjectRef,
  refOf,
  rolloutFailure,
  waitForRollout,
} from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { keyOf } from "./key.ts";
import { inStages } from "./order.ts";
import type { Plan, PlannedObject } from "./plan.ts";
import { refused, refusedError } from "./refusal.ts";
import { deleteForAnew, writeObject } from "./write-object.ts";

/** What a run has begun to write, by key: whether the answer came or not. */
export type Touched = Map<string, PlannedObject>;

/** A definition is established within seconds, or never. */
const ESTABLISHED_MS = 60_000;

/**
 * Applies a plan in the order of kinds: what others need first, definitions waited for before
 * their resources.
 *
 * @param touched gets every object before its first write, so that it can be put back.
 * @param until when to give up waiting for an API server that is away.
 * @throws {UserError} when the API server refuses an object after all.
 */
export async function applyPlan(
  { objects, context }: Plan,
  touched: Touched,
  until: number,
  world: Pick<World, "clock" | "log" | "signal">,
): Promise<void> {
  const patience = { clock: world.clock, until, signal: world.signal };
  const due = objects.filter(({ deed }) => deed !== "nothing");
  for (const stage of inStages(due, ({ object }) => object)) {
    await inLanes(stage, async (planned) => {
      world.signal.throwIfAborted();
      const { object, live, deed, force, origin } = planned;
      touched.set(keyOf(object), planned);
      try {
        const anew = deed === "recreate" && live !== undefined;
        if (anew) await deleteForAnew(context.cluster, live, patience);
        await writeObject(object, anew ? undefined : live, force, context, patience);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        throw refusedError([refused({ object, origin }, error)], true);
      }
    });
    await established(stage, context, until, world);
  }
}

/** Waits until the definitions of a stage are served. */
async function established(
  stage: readonly PlannedObject[],
  { cluster }: Plan["context"],
  until: number,
  world: Pick<World, "clock" | "log" | "signal">,
): Promise<void> {
  const targets = definitionsOf(stage.map(({ object }) => object));
  if (targets.length === 0) return;
  const deadline = Math.min(until, world.clock.now() + ESTABLISHED_MS);
  const report = await waitForRollout(cluster, targets, { deadline, world });
  if (report.verdict === "cancelled") throw cancelled(world.signal);
  const failure = rolloutFailure(report);
  if (failure !== undefined) throw failure;
  await cluster.resources({ fresh: true });
}

function definitionsOf(objects: readonly KubernetesObject[]): readonly ObjectRef[] {
  return objects.filter(({ kind }) => kind === "CustomResourceDefinition").map(refOf);
}

/** The reason for which work was broken off. */
export function cancelled(signal: AbortSignal): unknown {
  return (
    signal.reason ??
    new UserError({ title: "Cancelled", cause: "The work was cancelled.", remedy: "Run again." })
  );
}
