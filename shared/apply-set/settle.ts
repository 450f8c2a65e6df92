import { UserError } from "../failure/index.ts";
import { inLanes, isForbidden, type KubernetesObject, refOf } from "../kubernetes/index.ts";
import { trimHistory } from "./history.ts";
import { keyOf } from "./key.ts";
import { inStages } from "./order.ts";
import { both, inventoryOf, writeParent } from "./parent.ts";
import { withPatience } from "./patience.ts";
import type { Plan } from "./plan.ts";
import type { Voyage } from "./voyage.ts";

/**
 * Once the new revision runs: deletes what is in the set no more, in the opposite order of kinds,
 * narrows the inventory, and forgets old revisions. A failure here fails the run, but takes nothing
 * back: the new revision is good, and the next run goes on deleting.
 */
export async function settle(plan: Plan, voyage: Voyage): Promise<void> {
  const { cluster, order, journal, facts, world } = voyage;
  const { set, settings } = order;
  const objects = plan.objects.map(({ object }) => object);
  if (plan.gone.length > 0) {
    facts.pruned = await journal.phase("prune", () => prune(plan.gone, voyage));
    world.log.info(`Deleted ${facts.pruned.length} of ${plan.gone.length} objects.`);
  }
  const rest = inventoryOf([...objects, ...plan.kept]);
  // Who does not delete by the inventory must not lose what stands in it.
  const whole = settings.prune.by === "set" ? rest : both(rest, plan.inventory);
  await writeParent(cluster, set, whole);
  await trimHistory(cluster, set, settings.keepRevisions);
}

async function prune(gone: readonly KubernetesObject[], voyage: Voyage) {
  const { cluster, world, order } = voyage;
  const until = world.clock.now() + order.settings.timeout;
  const patience = { clock: world.clock, until, signal: world.signal };
  const failures: string[] = [];
  const deleted = new Set<string>();
  for (const stage of inStages(gone, (object) => object).toReversed()) {
    await inLanes(stage, async (object) => {
      const { uid } = object.metadata;
      try {
        await withPatience(() => cluster.delete(refOf(object), { uid }), patience);
        deleted.add(keyOf(object));
      } catch (error) {
        if (!(error instanceof UserError) || world.signal.aborted) throw error;
        failures.push(error.cause);
        if (isForbidden(error)) voyage.facts.notes.push(error.remedy);
      }
    });
  }
  if (failures.length > 0) throw notDeleted(failures);
  return gone.filter((object) => deleted.has(keyOf(object))).map(refOf);
}

function notDeleted(failures: readonly string[]): UserError {
  return new UserError({
    title: "Not everything could be deleted that is in the set no more",
    cause: failures.slice(0, 10).join("\n"),
    remedy:
      "The new revision runs and stays. Remove what stands in the way and run again: the rest is deleted then.",
  });
}
