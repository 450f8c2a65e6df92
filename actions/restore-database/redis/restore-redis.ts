import type { StoredBackup } from "../../../shared/backup/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import {
  databasesIn,
  explainFailure,
  findUnfinished,
  functionCodes,
  memoryOf,
  planRestore,
  type RedisFingerprint,
  type RedisTarget,
  type RestorePlan,
  redisFingerprint,
  redisSource,
  requireLoadable,
  requireMemory,
  requireSwap,
  shareOf,
  takeRestoreLease,
  type Unfinished,
} from "../../../shared/redis/index.ts";
import type { World } from "../../../shared/world/index.ts";
import { backUpBefore } from "../backup-before.ts";
import type { Means, Restored } from "../restored.ts";
import { restoreBeside } from "./beside.ts";
import { connectTarget } from "./connect.ts";
import { clearDatabase } from "./discard.ts";
import { restoreInPlace } from "./in-place.ts";
import { type Contents, isOccupied, requireTypedRight } from "./occupied.ts";

/**
 * Restores a backup of Redis into a server that goes on running: its keys into databases that are
 * empty, where they are proven, and which then change places with the real ones; or in place. What
 * can be known before anything is sent is held first.
 */
export async function restoreRedis(backup: StoredBackup, means: Means): Promise<Restored> {
  const { options, world, journal } = means;
  requireNoTables(means);
  const fingerprint = redisFingerprint(await backup.fingerprint(world.signal));
  await using target = await journal.phase("connect", () => connectTarget(options, world));
  try {
    return await restoreInto(target, { backup, fingerprint }, means);
  } catch (error) {
    world.signal.throwIfAborted();
    throw explainFailure(error, target);
  }
}

async function restoreInto(
  target: RedisTarget,
  { backup, fingerprint }: Pick<Asked, "backup" | "fingerprint">,
  means: Means,
): Promise<Restored> {
  const { options, world, journal } = means;
  requireTypedRight(target, options);
  requireLoadable(fingerprint, target);
  requireHeld(fingerprint, target);
  await takeRestoreLease(target, world);
  const interrupted = await clearLeftOvers(target, means);
  const contents = await contentsOf(target);
  const occupied = isOccupied(target, contents, interrupted, options);
  const plan = await planFor(fingerprint, target, contents, means);
  warnOfLeft(plan, means);
  await requireRoom({ backup, fingerprint, target, plan }, means);
  const previousBackup =
    interrupted !== undefined
      ? interrupted.previousBackup
      : occupied
        ? await journal.phase("back up before", () =>
            keptAlive(target, world, () => backUpBefore(redisSource(target.settings), means)),
          )
        : undefined;
  const restore = { backup, fingerprint, target, plan, previousBackup };
  if (options.method === "in-place") return await restoreInPlace(restore, means);
  return await restoreBeside(restore, means);
}

const PING_EVERY_MS = 20_000;

/** Servers close connections of which they hear nothing, and the lease with them. */
async function keptAlive<T>({ redis }: RedisTarget, { clock }: World, work: () => Promise<T>) {
  const over = new AbortController();
  const pinging = (async () => {
    while (!over.signal.aborted) {
      await clock.sleep(PING_EVERY_MS, over.signal).catch(() => {});
      if (!over.signal.aborted) await redis.ask("PING");
    }
  })();
  try {
    return await work();
  } finally {
    over.abort();
    await pinging.catch(() => {});
  }
}

function requireNoTables({ options }: Means): void {
  if (options.tables === undefined) return;
  throw new UserError({
    title: "Redis has no tables",
    cause: "tables is given, and the backup is one of Redis.",
    remedy: "Leave tables out; database restores one database by its number. Nothing was changed.",
  });
}

/** @throws {UserError} where the one database that is meant is not in the backup. */
function requireHeld(fingerprint: RedisFingerprint, { database }: RedisTarget): void {
  const held = databasesIn(fingerprint);
  if (database === undefined || held.includes(database)) return;
  throw new UserError({
    title: `Database ${database} is not in the backup`,
    cause:
      held.length === 0 ? "It has no keys at all." : `It has keys in database ${held.join(", ")}.`,
    remedy: "Name one of these, or none to restore all. Nothing was changed.",
  });
}

/** Empties what an interrupted restore made beside; tells of one that was in place. */
async function clearLeftOvers(
  target: RedisTarget,
  { world }: Means,
): Promise<Unfinished | undefined> {
  const found = await findUnfinished(target.redis, target.facts.keys.keys());
  let inPlace: Unfinished | undefined;
  for (const [database, unfinished] of found) {
    if (unfinished.beside) {
      await clearDatabase(target.redis, database);
      world.log.info(`Emptied database ${database}, which an interrupted restore left`);
    } else if (target.database === undefined || target.database === database) {
      inPlace = unfinished;
      world.log.warning(
        `A restore into ${target.words} was interrupted; it began at ${unfinished.since}. It is neither the former nor the restored one, and is restored anew.`,
        "An interrupted restore",
      );
    }
  }
  return inPlace;
}

async function contentsOf(target: RedisTarget): Promise<Contents> {
  const { database, redis } = target;
  const keys = new Map<number, number>();
  const numbers = [...target.facts.keys.keys()].filter(
    (each) => database === undefined || each === database,
  );
  for (const number of numbers) {
    await redis.ask("SELECT", String(number));
    const count = Number(await redis.ask("DBSIZE"));
    if (count > 0) keys.set(number, count);
  }
  const libraries = database === undefined ? (await functionCodes(target)).length : 0;
  return { keys, libraries };
}

/** @throws {UserError} where there is no room beside. */
async function planFor(
  fingerprint: RedisFingerprint,
  target: RedisTarget,
  { keys }: Contents,
  { options }: Means,
): Promise<RestorePlan> {
  const { databases, database: only, facts, words } = target;
  const held = databasesIn(fingerprint);
  const isBeside = options.method === "switch";
  const all = new Map([...facts.keys, ...keys]);
  const plan = planRestore(
    held,
    { databases, keys: only === undefined ? keys : all, only },
    isBeside,
  );
  if (plan === undefined) {
    throw new UserError({
      title: "The target has no empty databases to restore into",
      cause: `The backup has ${held.length} databases, which are restored into empty ones first, and of the ${databases} databases of ${words} too few are empty and not in the backup.`,
      remedy:
        "Raise its setting databases and start it anew, or give method: in-place, which removes the old keys first. Nothing was changed.",
    });
  }
  const [first] = plan.moves;
  if (isBeside && first !== undefined) await requireSwap(target, first.staging);
  return plan;
}

function warnOfLeft({ left }: RestorePlan, { world }: Means): void {
  if (left.length === 0) return;
  world.log.warning(
    `The backup has keys in database ${left.join(", ")} too, which ${left.length === 1 ? "is" : "are"} not restored: the target names one database.`,
    "A part of the backup is restored",
  );
}

interface Asked {
  readonly backup: StoredBackup;
  readonly fingerprint: RedisFingerprint;
  readonly target: RedisTarget;
  readonly plan: RestorePlan;
}

/** In place, the old keys go before anything comes. */
async function requireRoom(
  { backup, fingerprint, target, plan }: Asked,
  { options, world }: Means,
) {
  const all = await memoryOf(backup, fingerprint, world);
  const { facts, words } = target;
  const isWhole = target.database === undefined;
  const isBeside = options.method === "switch";
  requireMemory({
    needed: all * shareOf(fingerprint, plan),
    used: isBeside || !isWhole ? facts.usedMemory : 0,
    ...{ limit: facts.maxmemory, machine: facts.systemMemory, policy: facts.policy, words },
    isBeside,
  });
}
