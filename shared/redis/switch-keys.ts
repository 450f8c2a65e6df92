import { UserError } from "../failure/index.ts";
import { Collection } from "./content-hash.ts";
import { functionsPayload } from "./dump-payload.ts";
import type { RedisFingerprint } from "./fingerprint-file.ts";
import { token } from "./rdb-text.ts";
import { RedisRefusal, type Reply, type RespConnection } from "./resp.ts";
import type { RestorePlan } from "./restore-plan.ts";
import type { RedisTarget } from "./restore-target.ts";
import { MARK, type Unfinished } from "./unfinished.ts";

type Command = readonly (string | Buffer)[];

/**
 * Whether the account may let databases change places.
 *
 * @throws {UserError} where it may not.
 */
export async function requireSwap({ redis, words }: RedisTarget, staging: number): Promise<void> {
  try {
    // A database that changes places with itself stays as it is.
    await redis.ask("SWAPDB", String(staging), String(staging));
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    throw new UserError({
      title: "The target's databases cannot change places",
      cause: `${words} says: ${error.message}`,
      remedy:
        "Allow the account swapdb, or give method: in-place, which removes the old keys first and restores in their place. Nothing was changed.",
    });
  }
}

/**
 * Lets restored databases change places with those that they are restored for, in one transaction:
 * no client ever sees half of it. The old keys go in the same one.
 *
 * @throws {UserError} where the server refuses; everything is then as it was.
 */
export async function switchDatabases(target: RedisTarget, plan: RestorePlan): Promise<void> {
  const commands: Command[] = [];
  for (const { database, staging } of plan.moves) {
    commands.push(["SELECT", String(staging)], ["DEL", MARK]);
    commands.push(["SWAPDB", String(staging), String(database)]);
    commands.push(["FLUSHDB", "ASYNC"]);
  }
  for (const database of plan.emptied) {
    commands.push(["SELECT", String(database)], ["FLUSHDB", "ASYNC"]);
  }
  const refusal = await transaction(target.redis, commands);
  if (refusal === undefined) return;
  throw new UserError({
    title: "The databases could not change places",
    cause: `What was restored is proven, and ${target.words} says: ${refusal.message}`,
    remedy:
      "Allow the account swapdb, flushdb, multi and exec, and run again. The keys that were there are as they were.",
  });
}

/**
 * Removes the keys of all databases that are restored in place, and says in the first that a restore
 * is not done: both or neither.
 *
 * @throws {UserError} where the server refuses; everything is then as it was.
 */
export async function emptyDatabases(
  { redis, words }: RedisTarget,
  { moves, emptied }: RestorePlan,
  unfinished: Unfinished,
): Promise<void> {
  const commands: Command[] = [];
  for (const database of [...moves.map((move) => move.database), ...emptied]) {
    commands.push(["SELECT", String(database)], ["FLUSHDB", "ASYNC"]);
  }
  const [first] = moves;
  if (first !== undefined) {
    commands.push(["SELECT", String(first.database)], ["SET", MARK, JSON.stringify(unfinished)]);
  }
  const refusal = await transaction(redis, commands);
  if (refusal === undefined) return;
  throw new UserError({
    title: "The target could not be emptied",
    cause: `${words} says: ${refusal.message}`,
    remedy: "Allow the account flushdb, set, multi and exec, and run again. Nothing was changed.",
  });
}

/** A restore in place is done. */
export async function removeMark(
  { redis }: RedisTarget,
  { moves: [first] }: RestorePlan,
): Promise<void> {
  if (first === undefined) return;
  await redis.ask("SELECT", String(first.database));
  await redis.ask("DEL", MARK);
}

/** Why a transaction came to nothing, or undefined. */
async function transaction(
  redis: RespConnection,
  commands: readonly Command[],
): Promise<RedisRefusal | undefined> {
  const replies = await redis.all([["MULTI"], ...commands, ["EXEC"]]);
  const queued = replies.find((reply) => reply instanceof RedisRefusal);
  const done = replies.at(-1);
  if (done instanceof RedisRefusal || !Array.isArray(done)) {
    return queued instanceof RedisRefusal ? queued : new RedisRefusal("ERR nothing was done");
  }
  return (done as readonly Reply[]).find((reply) => reply instanceof RedisRefusal);
}

/** All of its libraries of functions as they are, to put them back; undefined before Redis 7. */
export async function dumpFunctions({ redis }: RedisTarget): Promise<Buffer | undefined> {
  try {
    const reply = await redis.ask("FUNCTION", "DUMP");
    return Buffer.isBuffer(reply) ? reply : undefined;
  } catch (error) {
    if (error instanceof RedisRefusal) return undefined;
    throw error;
  }
}

/**
 * Puts libraries of functions in the place of all that are there.
 *
 * @throws {UserError} where the server does not take them; those that are there stay.
 */
export async function replaceFunctions(
  target: RedisTarget,
  codes: readonly Buffer[],
  version: number,
): Promise<void> {
  if (codes.length === 0) {
    // Servers before Redis 7 have none, and know no such command.
    await target.redis.ask("FUNCTION", "FLUSH").catch(orNothing);
    return;
  }
  try {
    await target.redis.ask("FUNCTION", "RESTORE", functionsPayload(codes, version), "FLUSH");
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    throw new UserError({
      title: "The target does not take the backup's functions",
      cause: `${target.words} says: ${error.message}`,
      remedy:
        "Allow the account function, or see what the message says. The functions that were there are as they were.",
    });
  }
}

/**
 * Holds the libraries of functions that the server has now against the backup's.
 *
 * @throws {UserError} where they are other ones.
 */
export async function requireFunctions(
  target: RedisTarget,
  { shards }: RedisFingerprint,
): Promise<void> {
  const found = new Collection();
  for (const code of await functionCodes(target)) found.add(token(code));
  const expected = shards.map(({ libraries }) => libraries);
  if (expected.every(({ hash }) => hash === found.hex)) return;
  throw new UserError({
    title: "The functions are not those that were backed up",
    cause: `${target.words} has ${found.count} libraries of functions now, and ${expected[0]?.count ?? 0} are in the backup.`,
    remedy: "Stop who loads functions into it, and run again.",
  });
}

/** Puts back what dumpFunctions gave. */
export async function restoreFunctions({ redis }: RedisTarget, dumped: Buffer | undefined) {
  if (dumped !== undefined) await redis.ask("FUNCTION", "RESTORE", dumped, "FLUSH");
}

/** The code of every library of functions that the server has now, in no order. */
export async function functionCodes({ redis }: RedisTarget): Promise<Buffer[]> {
  const reply = await redis.ask("FUNCTION", "LIST", "WITHCODE").catch(orNothing);
  const codes: Buffer[] = [];
  for (const library of Array.isArray(reply) ? (reply as readonly Reply[]) : []) {
    const fields = Array.isArray(library) ? (library as readonly Reply[]) : [];
    const at = fields.findIndex((field) => String(field) === "library_code");
    const code = fields[at + 1];
    if (at >= 0 && Buffer.isBuffer(code)) codes.push(code);
  }
  return codes;
}

function orNothing(error: unknown): null {
  if (error instanceof RedisRefusal) return null;
  throw error;
}
