import type { Readable } from "node:stream";
import { BrokenPart } from "../backup/index.ts";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { countInWords, secondsInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";
import { RdbDamage } from "./damage.ts";
import { DumpPayload } from "./dump-payload.ts";
import { Gathering, type RdbFingerprint } from "./fingerprint.ts";
import { Pipeline } from "./pipeline.ts";
import { type RdbEntry, type RdbListener, type RdbSummary, readRdb } from "./rdb.ts";
import { Closed, RedisRefusal, type Reply, type RespConnection } from "./resp.ts";
import type { Move } from "./restore-plan.ts";
import type { RedisTarget } from "./restore-target.ts";
import { factsIn } from "./server-facts.ts";
import { MARK } from "./unfinished.ts";

const LOOK_EVERY_MS = 1_000;
const TELL_EVERY_MS = 10_000;

/** An RDB that is read key by key, as often as need be. */
export interface RdbPart {
  readonly name: string;
  /** Of the RDB format. */
  readonly version: number;
  open(signal: AbortSignal): Promise<Readable>;
}

/** How keys are loaded. */
export interface Loading {
  readonly target: RedisTarget;
  readonly moves: readonly Move[];
  /** The path of a file that may be made for values that are too long for the memory. */
  readonly spool: string;
  /** How many keys there are, for the progress. */
  readonly keys: number;
}

/** What an RDB turned out to hold. */
export interface Loaded {
  readonly summary: RdbSummary;
  /** Of the RDB as it was read, all of it. */
  readonly fingerprint: RdbFingerprint;
  /** Libraries of functions. */
  readonly codes: readonly Buffer[];
}

/**
 * Reads an RDB and sends its keys to a server that goes on running, each as it stands there. Keys
 * that have expired meanwhile the server takes and does not keep.
 *
 * @throws {UserError} where the server does not take one.
 */
export async function loadKeys(part: RdbPart, loading: Loading, world: World): Promise<Loaded> {
  const sender = new Sender(part, loading, world);
  const source = await part.open(world.signal);
  try {
    const summary = await readRdb(source, sender);
    await sender.end();
    return { summary, fingerprint: sender.fingerprint(summary), codes: sender.codes };
  } catch (error) {
    world.signal.throwIfAborted();
    throw error;
  } finally {
    source.destroy();
    await sender.clear();
  }
}

class Sender implements RdbListener {
  readonly codes: Buffer[] = [];
  readonly verbatim;
  readonly #gathering = new Gathering();
  readonly #loading: Loading;
  readonly #world: World;
  readonly #redis: RespConnection;
  readonly #pipeline: Pipeline;
  #payload: DumpPayload | undefined;
  #database: number | undefined;
  #failure: UserError | undefined;
  #looked: number;
  #told: number;
  readonly #began: number;
  #done = 0;

  constructor({ version }: RdbPart, loading: Loading, world: World) {
    this.#loading = loading;
    this.#world = world;
    this.#redis = loading.target.redis;
    this.#pipeline = new Pipeline(this.#redis);
    this.#began = world.clock.now();
    this.#looked = this.#began;
    this.#told = this.#began;
    this.verbatim = {
      keeperFor: (type: number) => {
        this.#payload = new DumpPayload(type, version, loading.spool);
        return this.#payload;
      },
      entry: (entry: RdbEntry) => this.#send(entry, this.#payload),
      code: (code: Buffer) => void this.codes.push(Buffer.from(code)),
    };
  }

  key: RdbListener["key"] = (key) => this.#gathering.key(key);
  sizes: RdbListener["sizes"] = (database, keys) => this.#gathering.sizes(database, keys);
  library: RdbListener["library"] = (code) => this.#gathering.library(code);

  fingerprint({ opaque }: RdbSummary): RdbFingerprint {
    return this.#gathering.fingerprint(opaque === undefined);
  }

  async end(): Promise<void> {
    await this.#pipeline.flush();
    if (this.#failure !== undefined) throw this.#failure;
    await this.#look();
  }

  async clear(): Promise<void> {
    await this.#payload?.remove();
  }

  async #send(entry: RdbEntry, payload: DumpPayload | undefined): Promise<void> {
    const move = this.#loading.moves.find(({ database }) => database === entry.database);
    if (payload === undefined) return;
    await payload.end();
    if (move !== undefined && !entry.name.equals(MARK)) {
      if (this.#database !== move.staging) await this.#select(move.staging);
      await this.#restore(entry, payload);
      if (this.#failure !== undefined) throw this.#failure;
      this.#done += 1;
    }
    await payload.remove();
    const now = this.#world.clock.now();
    if (now - this.#looked > LOOK_EVERY_MS) await this.#look();
  }

  async #select(database: number): Promise<void> {
    await this.#pipeline.add(["SELECT", String(database)], 0, (reply) => this.#take(reply));
    this.#database = database;
  }

  async #restore(entry: RdbEntry, payload: DumpPayload): Promise<void> {
    const before = ["RESTORE", entry.name, String(entry.expires)];
    const { idle, frequency } = entry;
    const use =
      frequency !== undefined
        ? ["FREQ", String(frequency)]
        : idle === undefined
          ? []
          : ["IDLETIME", String(idle)];
    const after = ["ABSTTL", ...use];
    const take = (reply: Reply) => this.#take(reply, entry.name);
    if (!payload.isLong) {
      await this.#pipeline.add([...before, payload.whole(), ...after], payload.size, take);
      return;
    }
    await this.#pipeline.flush();
    await this.#redis.sendLong(before, payload, after);
    take(await this.#redis.reply());
  }

  #take(reply: Reply, key?: Buffer): void {
    if (!(reply instanceof RedisRefusal)) return;
    this.#failure ??= refused(reply, key, this.#loading.target);
  }

  /** A server that drops keys for want of memory drops those that are there, too. */
  async #look(): Promise<void> {
    await this.#pipeline.flush();
    if (this.#failure !== undefined) throw this.#failure;
    const { facts, words } = this.#loading.target;
    const now = this.#world.clock.now();
    this.#looked = now;
    const { evicted, policy } = factsIn(await this.#redis.text("INFO"));
    if (evicted > facts.evicted) throw evicts(words, evicted - facts.evicted, policy);
    if (now - this.#told > TELL_EVERY_MS) this.#tell(now);
  }

  #tell(now: number): void {
    this.#told = now;
    const rate = this.#done / ((now - this.#began) / 1_000);
    const left = secondsInWords(Math.max(0, this.#loading.keys - this.#done) / rate);
    this.#world.log.info(
      `Restored ${countInWords(this.#done)} of ${countInWords(this.#loading.keys)} keys, ${countInWords(Math.round(rate))}/s, ${left} left.`,
    );
  }
}

function evicts(words: string, count: number, policy: string): UserError {
  return new UserError({
    title: "The target drops keys for want of memory",
    cause: `${words} dropped ${count} keys while it was restored into (maxmemory-policy ${policy}): what is restored would not be whole, and keys that were there go too.`,
    remedy: "Raise maxmemory (CONFIG SET maxmemory), or restore into a larger server.",
  });
}

/** Why a server does not take a key, in words that help. */
function refused({ code, message }: RedisRefusal, key: Buffer | undefined, target: RedisTarget) {
  const at =
    key === undefined ? "" : ` at key ${JSON.stringify(key.toString("utf8").slice(0, 80))}`;
  const refusal = (title: string, remedy: string) =>
    new UserError({ title, cause: `${target.words} says${at}: ${message}`, remedy });
  switch (code) {
    case "OOM":
      return refusal(
        "The target ran out of memory",
        "Raise maxmemory for the restore (CONFIG SET maxmemory), or restore into a larger server.",
      );
    case "NOPERM":
      return refusal(
        "The account may not restore",
        "Allow it what a restore needs: ACL SETUSER <user> ~* +info +select +restore +dump +pexpiretime +pttl +time +dbsize +set +get +del +exists +swapdb +flushdb +multi +exec +function.",
      );
    case "READONLY":
      return refusal("The target is a replica", "Give the address of its master.");
    case "MISCONF":
      return refusal(
        "The target takes no changes, for it cannot save them",
        "See its log for why it cannot write its RDB: most often the disk is full.",
      );
    case "NOREPLICAS":
      return refusal(
        "The target takes no changes, for it lacks replicas",
        "Mend its replicas, or lower min-replicas-to-write.",
      );
    case "BUSYKEY":
      return refusal(
        "Somebody else writes to the databases that are restored into",
        "Stop who uses them, and run again.",
      );
  }
  if (/bad data format|version or checksum/i.test(message)) {
    return refusal(
      "The target does not read what the backup holds",
      "Restore into a server of the release that was backed up, or of a newer one; values of a module need that module there.",
    );
  }
  return refusal("The target does not take a key", "See what it says, and its log.");
}

/**
 * An error of a restore in words that help: what the server refuses, a connection that breaks, a
 * backup that cannot be read again. Others as they are.
 */
export function explainFailure(error: unknown, target: RedisTarget): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof RedisRefusal) return refused(error, undefined, target);
  if (error instanceof RdbDamage || error instanceof BrokenPart) {
    const cause = error instanceof RdbDamage ? `${error.message}.` : error.message;
    const remedy = "Give another backup, such as backup: proven.";
    return new UserError({ title: "The backup is damaged", cause, remedy }, { reason: error });
  }
  if (error instanceof Closed || codeOf(error) !== undefined) return lost(error, target);
  return error;
}

function lost(error: unknown, { words }: RedisTarget): UserError {
  return new UserError(
    {
      title: "The target was lost in the middle of the restore",
      cause: `The connection to ${words} broke: ${describe(error)}.`,
      remedy:
        "See the server's log for why: it was stopped, ran out of memory, or takes no values as long as one of the backup's (proto-max-bulk-len).",
    },
    { reason: error },
  );
}
