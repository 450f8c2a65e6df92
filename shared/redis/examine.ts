import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { findingOf, type OpenedBackup, readAlong } from "../backup/index.ts";
import { describe, UserError } from "../failure/index.ts";
import { privateFolder } from "../process/index.ts";
import { type Examination, type Finding, holds, type Item, type Tier } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { compareFingerprints } from "./compare.ts";
import { RdbDamage } from "./damage.ts";
import { fingerprintRdb, type RdbFingerprint, type RdbReading } from "./fingerprint.ts";
import { redisFingerprint, type ShardFingerprint } from "./fingerprint-file.ts";
import { findImage, findServer, type ServerProgram } from "./programs.ts";
import { askQueries, type RedisQuery } from "./queries.ts";
import { factsIn } from "./server-facts.ts";
import { LoadFailed, openThrowAwayRedis } from "./throw-away.ts";

export interface RedisExamineOptions {
  readonly tier: Tier;
  /** The folder with redis-server or valkey-server; the PATH when left out. */
  readonly programs?: string | undefined;
  /** Where the server runs; on this machine if it is there, else in a container, when left out. */
  readonly server?: "local" | "docker" | undefined;
  /** The image of the server, for containers. */
  readonly image?: string | undefined;
  /** Where a private folder may be made; the system's for such when left out. */
  readonly scratch?: string | undefined;
  /** The most memory of the throw-away server, in bytes. */
  readonly memory: number;
  /** The longest that loading may take, in milliseconds. */
  readonly timeLimit: number;
  readonly queries?: readonly RedisQuery[] | undefined;
  /** Of an RDB without fingerprint: the fewest keys that it must have. */
  readonly leastKeys?: number | undefined;
}

/** An RDB to be looked into, with what is known of it. */
interface Subject {
  readonly name: string;
  /** Goes before the names of databases where there are several servers. */
  readonly where: string;
  readonly expected: ShardFingerprint | undefined;
  open(signal: AbortSignal): Promise<Readable>;
}

/** What came of one RDB. */
interface Look {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly unknown: readonly string[];
  readonly reached: Tier;
  readonly seconds: number | undefined;
  readonly circumstances?: Readonly<Record<string, string>>;
}

const SCORES_OF_STREAMS =
  "Counters of streams (entries ever added and read) and access times of keys are not compared.";

/**
 * Verifies a backup of Redis that redisSource made: every byte, then loaded by a throw-away
 * server and read back.
 *
 * @throws {UserError} where nothing can be said at all.
 */
export async function examineRedis(
  backup: OpenedBackup,
  options: RedisExamineOptions,
  world: World,
): Promise<Examination> {
  const { shards } = redisFingerprint(await backup.fingerprint(world.signal));
  const looks: Look[] = [];
  for (const [index, shard] of shards.entries()) {
    const subject = {
      name: shard.part,
      where: shards.length > 1 ? `shard ${index + 1}, ` : "",
      expected: shard,
      open: (signal: AbortSignal) => backup.open(shard.part, signal),
    };
    looks.push(await look(subject, options, world));
  }
  return joined(looks, options.tier);
}

/**
 * Verifies an RDB that anything else made, of which there is no fingerprint.
 *
 * @throws {UserError} where nothing can be said at all.
 */
export async function examineRdb(
  file: { readonly name: string; open(signal: AbortSignal): Promise<Readable> },
  options: RedisExamineOptions,
  world: World,
): Promise<Examination> {
  const subject = {
    name: file.name,
    where: "",
    expected: undefined,
    open: (signal: AbortSignal) => file.open(signal),
  };
  const result = joined([await look(subject, options, world)], options.tier);
  return {
    ...result,
    unknown: [
      "There is no fingerprint of the server: whether the RDB holds all that was there is not known.",
      ...result.unknown,
    ],
  };
}

function joined(looks: readonly Look[], asked: Tier): Examination {
  const seconds = looks.flatMap(({ seconds }) => (seconds === undefined ? [] : [seconds]));
  const least = looks.reduce((tier, { reached }) => (holds(reached, tier) ? tier : reached), asked);
  return {
    findings: looks.flatMap(({ findings }) => findings),
    items: looks.flatMap(({ items }) => items),
    unit: "keys",
    reached: least,
    unknown: [...new Set([...looks.flatMap(({ unknown }) => unknown), SCORES_OF_STREAMS])],
    circumstances: Object.assign({}, ...looks.map(({ circumstances }) => circumstances)),
    ...(seconds.length > 0 ? { restoreSeconds: seconds.reduce((a, b) => a + b, 0) } : {}),
  };
}

async function look(subject: Subject, options: RedisExamineOptions, world: World): Promise<Look> {
  const { tier } = options;
  if (tier === "integrity") return (await readThrough(subject, options, undefined, world)).look;
  await using folder = await privateFolder("seaworthy-redis-", options.scratch);
  const { look, reading } = await readThrough(subject, options, folder.path, world);
  if (reading === undefined) return look;
  const restored = await restore(subject, reading, folder.path, options, world);
  return {
    findings: [...look.findings, ...restored.findings],
    items: restored.items.length > 0 ? restored.items : look.items,
    unknown: [...look.unknown, ...restored.unknown],
    reached: restored.reached,
    seconds: restored.seconds,
    circumstances: restored.circumstances ?? {},
  };
}

/** Reads every byte, and keeps a copy in the folder where one is given. */
async function readThrough(
  subject: Subject,
  options: RedisExamineOptions,
  folder: string | undefined,
  world: World,
): Promise<{ readonly look: Look; readonly reading: RdbReading | undefined }> {
  const source = await subject.open(world.signal);
  const { content, result } = readAlong(source, fingerprintRdb);
  try {
    await keep(content, folder && join(folder, "dump.rdb"));
    const reading = await result;
    return { look: lookOf(subject, reading, options), reading };
  } catch (error) {
    world.signal.throwIfAborted();
    source.destroy();
    const finding = damageIn(error, subject);
    if (finding === undefined) throw error;
    const unknown = ["What the RDB holds behind the damage is not known."];
    const look = {
      findings: [finding],
      items: emptyItems(subject),
      unknown,
      reached: "integrity" as const,
      seconds: undefined,
    };
    return { look, reading: undefined };
  }
}

/** Writes a stream to a file, or nowhere; no more at once than the disk takes. */
async function keep(content: Readable, path: string | undefined): Promise<void> {
  if (path === undefined) {
    for await (const _ of content);
    return;
  }
  const file = await open(path, "wx", 0o600);
  try {
    for await (const chunk of content) await file.writeFile(chunk as Buffer);
  } catch (error) {
    throw diskTrouble(error, path);
  } finally {
    await file.close();
  }
}

function diskTrouble(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== "ENOSPC" && code !== "EDQUOT" && code !== "EROFS") return error;
  return new UserError({
    title: "There is no room for the RDB that is to be verified",
    cause: `Writing ${path} failed: ${describe(error)}.`,
    remedy:
      "Make room for twice the RDB's size there, or verify with tier: integrity, which needs none.",
  });
}

function emptyItems({ expected, where }: Subject): Item[] {
  return (expected?.databases ?? []).map(({ database, keys }) => ({
    name: `${where}database ${database}`,
    expected: keys,
    found: undefined,
    same: undefined,
  }));
}

/** Damage as a finding; undefined for errors of another kind. */
function damageIn(error: unknown, subject: Subject): Finding | undefined {
  if (error instanceof RdbDamage) {
    const detector = /checksum/.test(error.what) ? "rdb-checksum" : "rdb-structure";
    return {
      detector,
      tier: "integrity",
      weight: "damage",
      subject: subject.name,
      what: `${error.message}.`,
    };
  }
  return findingOf(error);
}

function lookOf(
  { name, where, expected }: Subject,
  reading: RdbReading,
  { leastKeys }: RedisExamineOptions,
): Look {
  const findings: Finding[] = reading.miscounted.map(({ database, said, found }) => ({
    detector: "announced-keys",
    tier: "integrity",
    weight: "doubt",
    subject: `${where}database ${database}`,
    what: `The RDB announces ${said} keys and holds ${found}.`,
    expected: String(said),
    found: String(found),
  }));
  const keys = reading.fingerprint.databases.reduce((sum, { keys }) => sum + keys, 0);
  if (reading.opaque !== undefined) {
    findings.push({
      detector: "rdb-type",
      tier: "integrity",
      weight: "doubt",
      subject: name,
      what: `It holds ${reading.opaque}: of what comes from there on, only bytes and checksum were proven.`,
    });
  }
  if (leastKeys !== undefined && keys < leastKeys) {
    findings.push({
      detector: "key-count",
      tier: "integrity",
      weight: "damage",
      subject: name,
      what: `It holds ${keys} keys, and at least ${leastKeys} are expected.`,
      expected: String(leastKeys),
      found: String(keys),
    });
  }
  if (expected !== undefined && formatOf(expected) !== formatOf(reading)) {
    findings.push({
      detector: "rdb-version",
      tier: "integrity",
      weight: "damage",
      subject: name,
      what: `It says that it is ${formatOf(reading)}, and it was ${formatOf(expected)} when it was taken.`,
      expected: formatOf(expected),
      found: formatOf(reading),
    });
  }
  const compared = compareFingerprints(expected ?? reading.fingerprint, reading.fingerprint, {
    tier: "integrity",
    where,
  });
  const items = expected === undefined ? unproven(compared.items) : compared.items;
  return {
    findings: [...findings, ...compared.findings],
    items,
    unknown: unknownOf(reading, name),
    reached: "integrity",
    seconds: undefined,
  };
}

function formatOf({ format, version }: Pick<RdbReading, "format" | "version">): string {
  return `an RDB of ${format === "VALKEY" ? "Valkey" : "Redis"}, version ${version}`;
}

/** Where nobody knows what was there. */
function unproven(items: readonly Item[]): Item[] {
  return items.map((item) => ({ ...item, expected: undefined, same: undefined }));
}

function unknownOf(reading: RdbReading, name: string): string[] {
  const unknown: string[] = [];
  if (reading.opaque !== undefined) {
    unknown.push(`What ${name} holds from the first value on that is not known here.`);
  }
  if (reading.modules.length > 0) {
    unknown.push(
      `Values of the modules ${reading.modules.join(", ")} in ${name} were counted and not compared.`,
    );
  }
  if (reading.checksum === "absent") {
    unknown.push(`${name} was written without a checksum of its own (rdbchecksum no).`);
  }
  return unknown;
}

async function restore(
  subject: Subject,
  reading: RdbReading,
  folder: string,
  options: RedisExamineOptions,
  world: World,
): Promise<Look> {
  const program = await programFor(reading, options, world);
  if (program === undefined) {
    const where = options.programs === undefined ? "on the PATH" : `in ${options.programs}`;
    return notRestored(
      `Whether a server loads ${subject.name} is not known: neither redis-server nor valkey-server is ${where}, and no image of one can be had from docker.`,
    );
  }
  const limit = AbortSignal.timeout(options.timeLimit);
  const limited = { ...world, signal: AbortSignal.any([world.signal, limit]) };
  try {
    return await loadAndCompare(subject, reading, { folder, program, options }, limited);
  } catch (error) {
    world.signal.throwIfAborted();
    if (limit.aborted) return notLoaded(new LoadFailed("time", ""), subject, program, options);
    if (error instanceof LoadFailed) return notLoaded(error, subject, program, options);
    throw error;
  }
}

async function programFor(
  { format }: RdbReading,
  { server, programs, image }: RedisExamineOptions,
  world: World,
): Promise<ServerProgram | undefined> {
  const valkey = format === "VALKEY";
  const here = server === "docker" ? undefined : await findServer(programs, valkey, world);
  if (here !== undefined || server === "local") return here;
  return await findImage(image, valkey, world);
}

async function loadAndCompare(
  subject: Subject,
  reading: RdbReading,
  {
    folder,
    program,
    options,
  }: { folder: string; program: ServerProgram; options: RedisExamineOptions },
  world: World,
): Promise<Look> {
  const highest = Math.max(0, ...reading.fingerprint.databases.map(({ database }) => database));
  const settings = {
    program,
    folder,
    memory: options.memory,
    databases: Math.max(16, highest + 1),
  };
  await using server = await openThrowAwayRedis(settings, world);
  const { keys } = factsIn(await server.redis.text("INFO", "keyspace"));
  await server.redis.ask("SAVE");
  const path = join(folder, "dump.rdb");
  if ((await stat(path)).size === 0) throw new LoadFailed("refused", "it saved nothing");
  const again = await fingerprintRdb(createReadStream(path, { signal: world.signal }));
  const expected = subject.expected ?? reading.fingerprint;
  const compared = compareFingerprints(expected, again.fingerprint, {
    tier: "data",
    where: subject.where,
  });
  const own = reading.opaque === undefined ? keysDiffer(keys, again.fingerprint, subject) : [];
  const queries =
    options.tier === "full" ? await askQueries(server.redis, options.queries ?? []) : [];
  const missing = server.isolation.safeguards.filter(({ had }) => !had);
  return {
    // Of one that could not be read to its end, a server's next one shows other keys before that place.
    findings: [...(reading.opaque === undefined ? compared.findings : []), ...own, ...queries],
    items:
      subject.expected === undefined
        ? compared.items.map((item) => ({ ...item, expected: undefined }))
        : compared.items,
    unknown: [
      ...missing.map(({ name, detail }) => `The throw-away server ran without ${name}: ${detail}.`),
      ...(options.tier === "full" && !options.queries?.length
        ? ["No queries of the application were given."]
        : []),
    ],
    reached: options.tier,
    seconds: server.loadSeconds,
    circumstances: {
      server: `${program.product} ${program.version}${program.image === undefined ? "" : ` of ${program.image}`}, started for this on a private socket`,
      safeguards: server.isolation.safeguards
        .map(({ name, had }) => (had ? name : `not ${name}`))
        .join(", "),
    },
  };
}

/** The server's own count, which owes nothing to how RDBs are read here. */
function keysDiffer(
  keys: ReadonlyMap<number, number>,
  { databases }: RdbFingerprint,
  { where }: Subject,
): Finding[] {
  return databases
    .filter((one) => (keys.get(one.database) ?? 0) !== one.keys)
    .map((one) => ({
      detector: "server-count",
      tier: "data",
      weight: "damage",
      subject: `${where}database ${one.database}`,
      what: `The server that loaded it counts ${keys.get(one.database) ?? 0} keys, and ${one.keys} were read back from it.`,
    }));
}

function notRestored(unknown: string): Look {
  return {
    findings: [],
    items: [],
    unknown: [unknown],
    reached: "integrity",
    seconds: undefined,
  };
}

function notLoaded(
  { why, message }: LoadFailed,
  { name }: Subject,
  { product, version }: ServerProgram,
  { memory, timeLimit }: RedisExamineOptions,
): Look {
  const server = `${product} ${version}`;
  const told = message.replace(/\.$/, "");
  switch (why) {
    case "version":
      return notRestored(
        `Whether a server loads ${name} is not known: ${server} is older than the one that wrote it (${told}).`,
      );
    case "module":
      return notRestored(
        `Whether a server loads ${name} is not known: ${server} lacks the modules whose data it holds (${told}).`,
      );
    case "memory":
      return notRestored(
        `Whether a server loads ${name} is not known: it needs more than the ${memory} bytes of memory that it may have (${told}).`,
      );
    case "time":
      return notRestored(
        `Whether a server loads ${name} is not known: it had not loaded and proven it after ${timeLimit / 1000} s.`,
      );
  }
  const finding: Finding = {
    detector: "load",
    tier: "data",
    weight: "damage",
    subject: name,
    what: `${server} does not load it: ${told}.`,
  };
  return { ...notRestored(""), findings: [finding], unknown: [] };
}
