import { UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import type { Cluster } from "../cluster.ts";
import { nameOf, type ObjectRef } from "../object.ts";
import type { RolloutReport } from "./report.ts";
import { unblockStatefulSet } from "./unblock.ts";
import { type RolloutOptions, waitForRollout } from "./wait.ts";

/** A pod that was ready for a moment may get stuck later: so it is looked for again. */
const LOOK_MS = 2_000;

/**
 * Has the pods made anew in which StatefulSets are stuck after they were put back to an earlier
 * revision, for no rollback reaches those. A pod that may not be deleted is told of, and left.
 *
 * @returns whether there is a reason to look again.
 */
export async function unblockStatefulSets(
  cluster: Cluster,
  targets: readonly ObjectRef[],
  { clock, log }: Pick<World, "clock" | "log">,
): Promise<boolean> {
  const sets = targets.filter(({ kind }) => kind === "StatefulSet");
  try {
    for (const set of sets) {
      const pods = await unblockStatefulSet(cluster, set, clock);
      if (pods.length === 0) continue;
      log.info(
        `${nameOf(set)}: deleted ${pods.join(", ")}, stuck in the revision that was rolled back.`,
      );
    }
    return sets.length > 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warning(
      `${error.cause} Delete the broken pods of StatefulSets by hand.`,
      "A StatefulSet may be stuck in the broken revision",
    );
    return false;
  }
}

/**
 * Waits until what was put back to an earlier revision runs, while the pods in which StatefulSets
 * are stuck are made anew. Of that the first pass is done also after a cancellation, as long as
 * its aftermath lasts; the report then says `cancelled`.
 *
 * @throws {UserError} as waitForRollout.
 */
export async function waitForRecovery(
  cluster: Cluster,
  targets: readonly ObjectRef[],
  options: RolloutOptions & { readonly world: Pick<World, "aftermath"> },
): Promise<RolloutReport> {
  const { world } = options;
  const mayStick = await unblockStatefulSets(cluster.boundTo(world.aftermath), targets, world);
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, world.signal]);
  const unblocked = mayStick
    ? keepUnblocked(cluster.boundTo(signal), targets, world, signal)
    : undefined;
  try {
    return await waitForRollout(cluster, targets, options);
  } finally {
    over.abort();
    await unblocked;
  }
}

async function keepUnblocked(
  cluster: Cluster,
  targets: readonly ObjectRef[],
  world: Pick<World, "clock" | "log">,
  signal: AbortSignal,
): Promise<void> {
  try {
    do await world.clock.sleep(LOOK_MS, signal);
    while (await unblockStatefulSets(cluster, targets, world));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
