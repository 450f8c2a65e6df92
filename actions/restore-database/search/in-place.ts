import { UserError } from "../../../shared/failure/index.ts";
import type { Finding, Item } from "../../../shared/proof/index.ts";
import type { Means, Restored } from "../restored.ts";
import { seriesBefore } from "../series-before.ts";
import { anewOf, freeStream } from "./anew.ts";
import type { IndicesRestore } from "./restore.ts";
import { aliasesFor, told } from "./told.ts";

/**
 * Removes each index and restores it under its own name, then proves it: for clusters without room for
 * both. In between there is none, or one that is not proven.
 */
export async function restoreInPlace(restore: IndicesRestore, means: Means): Promise<Restored> {
  const { plan, cluster, occupants } = restore;
  const { world, journal } = means;
  const findings: Finding[] = [];
  const items: Item[] = [];
  let seconds = 0;
  const units = [
    ...plan.indices.map((index) => ({ name: index.name, indices: [index] })),
    ...plan.streams,
  ];
  await journal.phase("restore and compare", async () => {
    for (const unit of units) {
      try {
        if (occupants.indices.has(unit.name)) {
          await cluster.find("DELETE", `/${encodeURIComponent(unit.name)}`);
        }
        await freeStream(restore, unit.name);
        const result = await anewOf(restore, unit, means);
        const notes = await giveAliases(restore, unit.name);
        findings.push(...result.findings, ...notes);
        items.push(...result.items);
        seconds += result.seconds;
        world.log.info(`${unit.name} is restored`);
      } catch (error) {
        throw halfDone(error, unit.name, restore, means);
      }
    }
  });
  const isSound = findings.every(({ weight }) => weight !== "damage");
  return told(restore, { findings, items, seconds }, isSound, true);
}

/** To an index by itself: those that its place had, and those of the backup that nobody has by now. */
async function giveAliases(
  { plan, cluster, occupants }: IndicesRestore,
  name: string,
): Promise<readonly Finding[]> {
  const index = plan.indices.find((one) => one.name === name);
  if (index === undefined) return [];
  const { aliases, left } = aliasesFor(index, occupants);
  const actions = Object.entries(aliases).map(([alias, definition]) => {
    return { add: { index: name, alias, ...(definition as object) } };
  });
  if (actions.length > 0) await cluster.ask("POST", "/_aliases", { body: { actions } });
  return left;
}

/** What stopped it, with the way back. */
function halfDone(
  error: unknown,
  name: string,
  { cluster, previousBackup, occupants }: IndicesRestore,
  { options, world }: Means,
): unknown {
  const had = occupants.indices.has(name) || occupants.streams.includes(name);
  const way = !had
    ? "There was none before."
    : previousBackup === undefined
      ? "There is no backup of what was there before."
      : `What was there before is in backup ${previousBackup} of ${seriesBefore(options)}.`;
  const state = `${name} of ${cluster.place} is removed or half restored. ${way} Run again to restore it anew.`;
  if (world.signal.aborted || !(error instanceof UserError)) {
    world.log.warning(state, "Interrupted in the middle");
    return error;
  }
  const { title, cause, remedy, evidence } = error;
  return new UserError(
    {
      title,
      cause,
      remedy: `${remedy} ${state}`,
      ...(evidence === undefined ? {} : { evidence }),
    },
    { reason: error },
  );
}
