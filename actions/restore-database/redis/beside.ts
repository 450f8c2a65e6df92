import {
  dumpFunctions,
  loadBackup,
  mark,
  proveBackup,
  replaceFunctions,
  requireFunctions,
  restoreFunctions,
  switchDatabases,
} from "../../../shared/redis/index.ts";
import type { Means, Restored } from "../restored.ts";
import { discard } from "./discard.ts";
import type { RedisRestore } from "./restore.ts";
import { unknownOf } from "./unknown.ts";

/**
 * Restores into empty databases of the server, proves every key there, and lets them change places
 * with the real ones in one transaction. Until then the real ones are as they were, whatever happens;
 * what an interrupted run leaves, the next one empties.
 */
export async function restoreBeside(restore: RedisRestore, means: Means): Promise<Restored> {
  const { backup, fingerprint, target, plan, previousBackup } = restore;
  const { world, journal } = means;
  const staged = plan.moves.map(({ staging }) => staging);
  const into = { target, plan };
  let isDone = false;
  try {
    const since = new Date(world.clock.now()).toISOString();
    for (const database of staged) {
      await target.redis.ask("SELECT", String(database));
      await mark(target.redis, { since, beside: true, previousBackup });
    }
    world.log.info(
      `Restoring into database ${staged.join(", ") || "-"} of ${target.words}, beside its keys`,
    );
    const loaded = await journal.phase("restore", () =>
      loadBackup(backup, fingerprint, into, world),
    );
    const own = new Map(staged.map((database) => [database, 1]));
    const proof = await journal.phase("compare", () =>
      proveBackup(backup, fingerprint, into, own, world),
    );
    const findings = [...loaded.findings, ...proof.findings];
    const told = {
      ...{ target: target.words, unit: "keys", items: proof.items, findings },
      unknown: [...loaded.unknown, ...proof.unknown, ...unknownOf(restore)],
      ...{ restoreSeconds: loaded.seconds, previousBackup, previousDatabase: undefined },
    };
    if (findings.some(({ weight }) => weight === "damage")) {
      return { ...told, isSwitched: false, isTouched: false };
    }
    await journal.phase("switch", () => switchAll(restore, loaded));
    isDone = true;
    return { ...told, isSwitched: true, isTouched: true };
  } finally {
    if (!isDone) await discard(target, staged, means);
  }
}

/** Functions first, which can be put back; then the keys, in one go. */
async function switchAll(
  { fingerprint, target, plan }: RedisRestore,
  { codes, version }: { readonly codes: readonly Buffer[]; readonly version: number },
): Promise<void> {
  if (!plan.withFunctions) return await switchDatabases(target, plan);
  const former = await dumpFunctions(target);
  await replaceFunctions(target, codes, version);
  try {
    await requireFunctions(target, fingerprint);
    await switchDatabases(target, plan);
  } catch (error) {
    await restoreFunctions(target, former);
    throw error;
  }
}
