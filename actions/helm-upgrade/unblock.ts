import { UserError } from "../../shared/failure/index.ts";
import { objectsOf, type Revision } from "../../shared/helm/index.ts";
import { type Cluster, nameOf, unblockStatefulSet } from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Tools } from "./prepare.ts";
import { targetsOf } from "./watch-rollout.ts";

/** A pod that was ready for a moment may get stuck later: so it is looked for again. */
const LOOK_MS = 2_000;

/**
 * After a rollback: has the pods made anew in which StatefulSets are stuck, for no rollback reaches
 * those. A pod that may not be deleted is told of, and waited for like any other.
 *
 * @returns whether there is a reason to look again.
 */
export async function unblock(
  good: Revision,
  cluster: Cluster,
  { release }: Pick<Tools, "release">,
  { clock, log }: World,
): Promise<boolean> {
  const targets = targetsOf(objectsOf(good.manifest), release.namespace);
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

/** Does the same again and again until it is told to stop. */
export async function keepUnblocked(
  good: Revision,
  tools: Tools,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const cluster = tools.cluster.boundTo(signal);
  try {
    do await world.clock.sleep(LOOK_MS, signal);
    while (await unblock(good, cluster, tools, world));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
