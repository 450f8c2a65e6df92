import { UserError } from "../../../shared/failure/index.ts";
import {
  emptyDatabases,
  explainFailure,
  loadBackup,
  proveBackup,
  removeMark,
  replaceFunctions,
  requireFunctions,
} from "../../../shared/redis/index.ts";
import type { Means, Restored } from "../restored.ts";
import { seriesBefore } from "../series-before.ts";
import type { RedisRestore } from "./restore.ts";
import { unknownOf } from "./unknown.ts";

/**
 * Removes the keys that are there, restores in their place and proves it: for servers without empty
 * databases, or with too little memory for both. Between the first and the last step it is neither the
 * former nor the restored one; a key says so, and a run that finds that goes on without the name
 * being typed again.
 */
export async function restoreInPlace(restore: RedisRestore, means: Means): Promise<Restored> {
  const { target, plan, previousBackup } = restore;
  const { world, journal } = means;
  const since = new Date(world.clock.now()).toISOString();
  try {
    await journal.phase("empty", () =>
      emptyDatabases(target, plan, { since, beside: false, previousBackup }),
    );
    return await replaced(restore, means);
  } catch (error) {
    throw halfDone(explainFailure(error, target), restore, means);
  }
}

async function replaced(restore: RedisRestore, means: Means): Promise<Restored> {
  const { backup, fingerprint, target, plan, previousBackup } = restore;
  const { world, journal } = means;
  const into = { target, plan };
  world.log.info(`Restoring into ${target.words} itself`);
  const loaded = await journal.phase("restore", () => loadBackup(backup, fingerprint, into, world));
  if (plan.withFunctions) {
    await replaceFunctions(target, loaded.codes, loaded.version);
    await requireFunctions(target, fingerprint);
  }
  const marked = plan.moves.slice(0, 1).map(({ database }): [number, number] => [database, 1]);
  const proof = await journal.phase("compare", () =>
    proveBackup(backup, fingerprint, into, new Map(marked), world),
  );
  const findings = [...loaded.findings, ...proof.findings];
  const isSound = findings.every(({ weight }) => weight !== "damage");
  if (isSound) await removeMark(target, plan);
  return {
    ...{ target: target.words, unit: "keys", items: proof.items, findings },
    unknown: [...loaded.unknown, ...proof.unknown, ...unknownOf(restore)],
    ...{ restoreSeconds: loaded.seconds, previousBackup, previousDatabase: undefined },
    ...{ isSwitched: isSound, isTouched: true },
  };
}

/** What stopped it, with the way back. */
function halfDone(
  error: unknown,
  { target, previousBackup }: RedisRestore,
  { options, world }: Means,
): unknown {
  const way =
    previousBackup === undefined
      ? "There is no backup of what was there before."
      : `What was there before is in backup ${previousBackup} of ${seriesBefore(options)}.`;
  const state = `${target.words} is half restored, and a key in it says so. ${way} Run again to go on: replace need not be typed.`;
  if (world.signal.aborted || !(error instanceof UserError)) {
    world.log.warning(state, "Interrupted in the middle");
    return error;
  }
  const { title, cause, remedy, evidence } = error;
  const own = remedy.replace(/ ?Nothing was changed\./, "");
  return new UserError(
    { title, cause, remedy: `${own} ${state}`, ...(evidence === undefined ? {} : { evidence }) },
    { reason: error },
  );
}
