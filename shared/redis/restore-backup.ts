import { join } from "node:path";
import type { OpenedBackup } from "../backup/index.ts";
import { privateFolder } from "../process/index.ts";
import type { Finding, Item } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { compareFingerprints } from "./compare.ts";
import type { RedisFingerprint, ShardFingerprint } from "./fingerprint-file.ts";
import { loadKeys, type RdbPart } from "./load-keys.ts";
import { findingsIn, proveKeys, type Tally } from "./prove-keys.ts";
import { readFacts } from "./rdb.ts";
import type { RestorePlan } from "./restore-plan.ts";
import type { RedisTarget } from "./restore-target.ts";
import { factsIn } from "./server-facts.ts";

/** What was loaded of a backup. */
export interface LoadedBackup {
  /** Where what was read is not what the fingerprint has. */
  readonly findings: readonly Finding[];
  /** Libraries of functions, each once. */
  readonly codes: readonly Buffer[];
  /** The version of the RDB format that they are written in. */
  readonly version: number;
  readonly unknown: readonly string[];
  readonly seconds: number;
}

/** What the keys of a server are, held against a backup. */
export interface BackupProof {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly unknown: readonly string[];
}

const UNCOMPARED =
  "Counters of streams (entries ever added and read) and access times of keys are not compared.";

/**
 * Loads the keys of a backup into the databases that the plan has for them.
 *
 * @throws {UserError} where the server does not take them.
 */
export async function loadBackup(
  backup: OpenedBackup,
  fingerprint: RedisFingerprint,
  { target, plan }: { readonly target: RedisTarget; readonly plan: RestorePlan },
  world: World,
): Promise<LoadedBackup> {
  const began = world.clock.now();
  await using folder = await privateFolder("seaworthy-restore-");
  const findings: Finding[] = [];
  const codes = new Map<string, Buffer>();
  const modules = new Set<string>();
  const loading = {
    target,
    moves: plan.moves,
    spool: join(folder.path, "value"),
    keys: keysIn(fingerprint),
  };
  for (const [index, shard] of fingerprint.shards.entries()) {
    const loaded = await loadKeys(partOf(backup, shard), loading, world);
    const where = fingerprint.shards.length > 1 ? `shard ${index + 1}, ` : "";
    findings.push(
      ...compareFingerprints(shard, loaded.fingerprint, { tier: "data", where }).findings,
    );
    for (const code of loaded.codes) codes.set(code.toString("latin1"), code);
    for (const module of loaded.summary.modules) modules.add(module);
  }
  const version = Math.max(...fingerprint.shards.map((shard) => shard.version));
  const seconds = (world.clock.now() - began) / 1_000;
  return { findings, codes: [...codes.values()], version, unknown: unknownOf(modules), seconds };
}

function unknownOf(modules: ReadonlySet<string>): string[] {
  if (modules.size === 0) return [];
  const names = [...modules].sort().join(", ");
  return [
    `Values of the modules ${names} were restored and not compared; what these keep beside the keys, such as indexes, was not restored.`,
  ];
}

/** How many keys a backup has. */
export function keysIn({ shards }: RedisFingerprint): number {
  const all = shards.flatMap(({ databases }) => databases);
  return all.reduce((sum, { keys }) => sum + keys, 0);
}

/**
 * Holds every key in the databases of the plan against the backup, and their numbers.
 *
 * @param own how many keys of ours each database has beside, by its number.
 */
export async function proveBackup(
  backup: OpenedBackup,
  fingerprint: RedisFingerprint,
  { target, plan }: { readonly target: RedisTarget; readonly plan: RestorePlan },
  own: ReadonlyMap<number, number>,
  world: World,
): Promise<BackupProof> {
  const tallies = new Map<number, Tally>();
  for (const shard of fingerprint.shards) {
    await proveKeys(partOf(backup, shard), { target, moves: plan.moves, tallies }, world);
  }
  const findings = findingsIn(tallies);
  const items: Item[] = [];
  for (const { database, staging } of plan.moves) {
    const tally = tallies.get(database);
    const [all, expired] = [keysOf(fingerprint, database), tally?.expired ?? 0];
    const there = (await sizeOf(target, staging)) - (own.get(staging) ?? 0);
    if (there > all) findings.push(tooMany(database, all, there));
    const held = (tally?.same ?? 0) + (tally?.unread ?? 0);
    const isWrong = (tally?.wrong ?? 0) > 0 || there > all || held + expired < all;
    const same = isWrong ? false : (tally?.unread ?? 0) > 0 ? undefined : true;
    items.push({ name: `database ${database}`, expected: all - expired, found: held, same });
  }
  findings.push(...(await droppedKeys(target)));
  const unread = [...tallies.values()].reduce((sum, tally) => sum + tally.unread, 0);
  const unknown =
    unread === 0 ? [] : [`${unread} keys are there, and what they hold could not be compared.`];
  return { findings, items, unknown: [...unknown, UNCOMPARED] };
}

function keysOf({ shards }: RedisFingerprint, number: number): number {
  const all = shards.flatMap(({ databases }) => databases);
  return all.reduce((sum, { database, keys }) => sum + (database === number ? keys : 0), 0);
}

async function sizeOf({ redis }: RedisTarget, database: number): Promise<number> {
  await redis.ask("SELECT", String(database));
  return Number(await redis.ask("DBSIZE"));
}

function tooMany(database: number, expected: number, found: number): Finding {
  return {
    ...{ detector: "key-count", tier: "data", weight: "damage", subject: `database ${database}` },
    what: `${found} keys are there, and ${expected} were restored: somebody else writes to it.`,
    ...{ expected: String(expected), found: String(found) },
  };
}

/** Keys that were dropped after they were held against the backup. */
async function droppedKeys({ redis, facts }: RedisTarget): Promise<Finding[]> {
  const { evicted, policy } = factsIn(await redis.text("INFO"));
  if (evicted === facts.evicted) return [];
  const what = `The server dropped ${evicted - facts.evicted} keys for want of memory meanwhile (maxmemory-policy ${policy}).`;
  return [{ detector: "evicted", tier: "data", weight: "damage", subject: "memory", what }];
}

/** What the server used when the backup was taken, in bytes; 0 where the RDBs do not say. */
export async function memoryOf(
  backup: OpenedBackup,
  { shards }: RedisFingerprint,
  world: World,
): Promise<number> {
  let bytes = 0;
  for (const { part } of shards) {
    const stream = await backup.open(part, world.signal);
    try {
      const facts = await readFacts(stream);
      bytes += Number(facts["used-mem"] ?? 0) || 0;
    } finally {
      stream.destroy();
    }
  }
  return bytes;
}

function partOf(backup: OpenedBackup, { part, version }: ShardFingerprint): RdbPart {
  return { name: part, version, open: (signal) => backup.open(part, signal) };
}
