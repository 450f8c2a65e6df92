import { UserError } from "../failure/index.ts";
import { bytesInWords } from "../quantity/index.ts";
import type { RedisFingerprint } from "./fingerprint-file.ts";
import { productOf, type RedisTarget } from "./restore-target.ts";

/** A database of the backup, and where its keys go first. */
export interface Move {
  readonly database: number;
  /** The same number where it is restored in place. */
  readonly staging: number;
}

/** What a restore will do to which databases. */
export interface RestorePlan {
  readonly moves: readonly Move[];
  /** Those that hold something, and of which the backup has nothing. */
  readonly emptied: readonly number[];
  /** Databases of the backup that were not asked for. */
  readonly left: readonly number[];
  /** Whether libraries of functions are restored too: they belong to the whole server. */
  readonly withFunctions: boolean;
}

/** What of a target a plan depends on. */
export interface Room {
  /** How many databases it has. */
  readonly databases: number;
  /** Keys by database. */
  readonly keys: ReadonlyMap<number, number>;
  /** The one that is meant; all of them when undefined. */
  readonly only: number | undefined;
}

/**
 * Which database goes where.
 *
 * @param held numbers of databases with keys in the backup.
 * @param beside whether keys are restored into empty databases first.
 * @returns undefined where too few databases are empty for that.
 */
export function planRestore(
  held: readonly number[],
  { databases, keys, only }: Room,
  beside: boolean,
): RestorePlan | undefined {
  const wanted = only === undefined ? held : [only];
  const occupied = [...keys].filter(([, count]) => count > 0).map(([number]) => number);
  const isFree = (number: number) =>
    !wanted.includes(number) && !occupied.includes(number) && number !== only;
  const numbers = Array.from({ length: databases }, (_, number) => number);
  const free = numbers.toReversed().filter(isFree);
  if (beside && free.length < wanted.length) return undefined;
  const moves = wanted.map((database, index) => {
    return { database, staging: beside ? (free[index] ?? database) : database };
  });
  const emptied = only === undefined ? occupied.filter((number) => !wanted.includes(number)) : [];
  const left = held.filter((number) => !wanted.includes(number));
  return { moves, emptied, left, withFunctions: only === undefined };
}

/** The numbers of databases with keys. */
export function databasesIn({ shards }: RedisFingerprint): number[] {
  const numbers = shards.flatMap(({ databases }) => databases.map(({ database }) => database));
  return [...new Set(numbers)].sort((a, b) => a - b);
}

const NOTHING = "Nothing was changed.";

/**
 * Holds that the server can take what the backup has.
 *
 * @throws {UserError} for what can be known before anything is sent.
 */
export function requireLoadable(fingerprint: RedisFingerprint, target: RedisTarget): void {
  for (const shard of fingerprint.shards) {
    requireReadable(shard, target);
    if (!shard.whole) {
      throw new UserError({
        title: "The backup holds what cannot be restored key by key",
        cause: `${shard.part}, of ${shard.server.version}, has values of types that are newer than those known here.`,
        remedy: `Use a newer version of this action, or let a server of that release load the RDB as its dump.rdb: docs/backup-format.md. ${NOTHING}`,
      });
    }
  }
  const highest = Math.max(-1, ...(target.database === undefined ? databasesIn(fingerprint) : []));
  const most = Math.max(highest, target.database ?? 0);
  if (most < target.databases) return;
  throw new UserError({
    title: "The target has too few databases",
    cause: `Database ${most} is ${target.database === undefined ? "in the backup" : "meant"}, and ${target.words} has ${target.databases}, numbered from 0.`,
    remedy: `Raise its setting databases and start it anew, or name one database, such as ${target.name}/0. ${NOTHING}`,
  });
}

function requireReadable(
  { format, version, server }: RedisFingerprint["shards"][number],
  { facts, rdbVersion, words }: RedisTarget,
): void {
  const from = `${server.product === "valkey" ? "Valkey" : "Redis"} ${server.version}`;
  const refuse = (cause: string, remedy: string) => {
    throw new UserError({
      title: "The target does not read what the backup holds",
      cause,
      remedy: `${remedy} ${NOTHING}`,
    });
  };
  const own = `${productOf(facts)} ${facts.version}`;
  if (rdbVersion !== undefined && version > rdbVersion) {
    refuse(
      `The backup is of ${from}, in version ${version} of the RDB format, and ${words} is of ${facts.version}, which reads up to version ${rdbVersion}.`,
      "Restore into a server of the release that was backed up, or of a newer one.",
    );
  }
  const isOther = (format === "VALKEY") !== (facts.product === "valkey");
  // Both went on from version 11, each in its own way.
  if (isOther && version > 11) {
    refuse(
      `The backup is of ${from}, in version ${version} of the RDB format, which ${own} at the target does not share.`,
      `Restore into a server of ${server.product === "valkey" ? "Valkey" : "Redis"}.`,
    );
  }
}

/** What memory a restore needs and finds, in bytes. */
export interface MemoryNeed {
  /** What the source used, in the share of what is restored. */
  readonly needed: number;
  readonly used: number;
  /** The server's own limit; 0 for none. */
  readonly limit: number;
  /** Of the machine; 0 where it is not known. */
  readonly machine: number;
  readonly policy: string;
  readonly words: string;
  /** Whether the old keys stay until the new ones are proven. */
  readonly isBeside: boolean;
}

/**
 * Holds that what is restored has room beside what is there: a server that runs out of it would
 * refuse in the middle, or drop its old keys to make room.
 *
 * @throws {UserError} where it has not.
 */
export function requireMemory(need: MemoryNeed): void {
  const { needed, used, limit, machine, policy, words, isBeside } = need;
  const most = limit > 0 ? limit : machine;
  if (most === 0 || used + needed <= most) return;
  const what =
    limit > 0 ? `maxmemory is ${bytesInWords(limit)}` : `the machine has ${bytesInWords(machine)}`;
  const danger =
    limit > 0 && policy !== "noeviction"
      ? ` By its maxmemory-policy, ${policy}, it would drop keys that are there.`
      : "";
  const more = limit > 0 ? "Raise maxmemory (CONFIG SET maxmemory)" : "Use a larger machine";
  const way = isBeside
    ? `${more}, or give method: in-place, which removes the old keys first.`
    : `${more}.`;
  throw new UserError({
    title: "The target has too little memory",
    cause: isBeside
      ? `${words} uses ${bytesInWords(used)}, what is restored beside takes about ${bytesInWords(needed)} more until it is proven, and ${what}.${danger}`
      : `What is restored takes about ${bytesInWords(needed)}, and of ${words} ${what}.${danger}`,
    remedy: `${way} ${NOTHING}`,
  });
}

/** Which share of a backup's keys a plan restores. */
export function shareOf(fingerprint: RedisFingerprint, { moves }: RestorePlan): number {
  const all = fingerprint.shards.flatMap(({ databases }) => databases);
  const sum = (some: typeof all) => some.reduce((total, { keys }) => total + keys, 0);
  const wanted = all.filter((one) => moves.some(({ database }) => database === one.database));
  return sum(all) === 0 ? 0 : sum(wanted) / sum(all);
}
