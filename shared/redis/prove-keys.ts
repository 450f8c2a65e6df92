import type { Finding } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { type ByteKeeper, ByteReader } from "./byte-reader.ts";
import { RdbDamage } from "./damage.ts";
import type { RdbPart } from "./load-keys.ts";
import { Pipeline } from "./pipeline.ts";
import { type RdbEntry, type RdbListener, readRdb } from "./rdb.ts";
import { readValue } from "./rdb-value.ts";
import { RedisRefusal, type Reply, type RespConnection } from "./resp.ts";
import type { Move } from "./restore-plan.ts";
import type { RedisTarget } from "./restore-target.ts";
import { isAtLeast } from "./throw-away.ts";
import { MARK } from "./unfinished.ts";
import type { Value } from "./value.ts";

/** Values that are longer are read as they come. */
const LONG = 4 * 1024 * 1024;
const MOST_WAITING = 1_000;
const MOST_NAMED = 5;
/** Between a server's clock and the one here, and within a batch of questions. */
const TOLERANCE_MS = 5_000n;

/** Keys of one database, of which each is counted once. */
export interface Tally {
  /** Those that are there as they were. */
  same: number;
  /** Those that have expired since the backup was taken, and are rightly gone. */
  expired: number;
  /** Those that are there, and whose contents nobody can compare. */
  unread: number;
  /** Those that are gone or other ones. */
  wrong: number;
  /** Some of these, with what is wrong. */
  readonly examples: string[];
}

/** Where keys are, and where they are counted by databases of the backup. */
export interface Proving {
  readonly target: RedisTarget;
  readonly moves: readonly Move[];
  readonly tallies: Map<number, Tally>;
}

/**
 * Holds every key of an RDB against the one that a server has now: its value, and when it ends.
 * Asks for nothing that a managed service would not answer.
 */
export async function proveKeys(part: RdbPart, proving: Proving, world: World): Promise<void> {
  const asker = new Asker(proving, world);
  await asker.begin();
  const source = await part.open(world.signal);
  try {
    await readRdb(source, asker);
    await asker.end();
  } finally {
    source.destroy();
  }
}

/** What the tallies of a comparison say. */
export function findingsIn(tallies: ReadonlyMap<number, Tally>): Finding[] {
  return [...tallies].flatMap(([database, { wrong, expired, examples }]) => {
    const of = { tier: "data", subject: `database ${database}` } as const;
    const findings: Finding[] = [];
    if (wrong > 0) {
      const more = wrong > examples.length ? ` and ${wrong - examples.length} more` : "";
      const what = `${wrong} ${wrong === 1 ? "key is" : "keys are"} not as backed up: ${examples.join("; ")}${more}.`;
      findings.push({ ...of, detector: "content-hash", weight: "damage", what });
    }
    if (expired > 0) {
      const what = `${expired} ${expired === 1 ? "key has" : "keys have"} expired since the backup was taken, and ${expired === 1 ? "was" : "were"} not restored.`;
      findings.push({ ...of, detector: "expired", weight: "note", what });
    }
    return findings;
  });
}

/** Counts only how long a value is. */
class Measure implements ByteKeeper {
  size = 0;

  add(bytes: Buffer): undefined {
    this.size += bytes.length;
  }
}

class Asker implements RdbListener {
  readonly verbatim;
  readonly #proving: Proving;
  readonly #world: World;
  readonly #redis: RespConnection;
  readonly #pipeline: Pipeline;
  readonly #valkey: boolean;
  /** Whether the server tells moments, and not only how long it still is until then. */
  readonly #tellsMoments: boolean;
  #measure = new Measure();
  #database: number | undefined;
  #answers: { entry: RdbEntry; end: bigint; reply: Reply }[] = [];
  /** What the server's clock is ahead of the one here, in milliseconds. */
  #ahead = 0n;

  constructor(proving: Proving, world: World) {
    const { redis, facts } = proving.target;
    this.#proving = proving;
    this.#world = world;
    this.#redis = redis;
    this.#pipeline = new Pipeline(redis);
    this.#valkey = facts.product === "valkey";
    this.#tellsMoments = this.#valkey || isAtLeast(facts.version, 7, 0);
    this.verbatim = {
      keeperFor: () => {
        this.#measure = new Measure();
        return this.#measure;
      },
      entry: (entry: RdbEntry) => this.#ask(entry, this.#measure.size),
      code: () => {},
    };
  }

  key(): void {}
  sizes(): void {}
  library(): void {}

  /** Looking at keys is no use of them, where the server can be told so. */
  async begin(): Promise<void> {
    await this.#redis.ask("CLIENT", "NO-TOUCH", "ON").catch(ignoreRefusal);
    this.#ahead = timeIn(await this.#redis.ask("TIME")) - BigInt(this.#world.clock.now());
  }

  async end(): Promise<void> {
    await this.#settle();
    await this.#redis.ask("CLIENT", "NO-TOUCH", "OFF").catch(ignoreRefusal);
  }

  get #now(): bigint {
    return BigInt(this.#world.clock.now()) + this.#ahead;
  }

  async #ask(entry: RdbEntry, size: number): Promise<void> {
    const move = this.#proving.moves.find(({ database }) => database === entry.database);
    if (move === undefined || entry.name.equals(MARK)) return;
    if (this.#database !== move.staging) {
      await this.#pipeline.add(["SELECT", String(move.staging)], 0, throwRefusal);
      this.#database = move.staging;
    }
    let end = 0n;
    const when = this.#tellsMoments ? "PEXPIRETIME" : "PTTL";
    await this.#pipeline.add([when, entry.name], 0, (reply) => {
      end = this.#endIn(entry, reply);
    });
    if (size > LONG) {
      await this.#settle();
      await this.#askLong(entry, end);
      return;
    }
    await this.#pipeline.add(["DUMP", entry.name], size, (reply) => {
      this.#answers.push({ entry, end, reply });
    });
    if (this.#answers.length >= MOST_WAITING) await this.#settle();
  }

  async #askLong(entry: RdbEntry, end: bigint): Promise<void> {
    this.#redis.send(["DUMP", entry.name]);
    const reply = await this.#redis.longReply();
    this.#judge(entry, end, reply === null ? null : await this.#read(reply.pieces));
  }

  async #settle(): Promise<void> {
    await this.#pipeline.flush();
    const answers = this.#answers;
    this.#answers = [];
    for (const { entry, end, reply } of answers) {
      throwRefusal(reply);
      const value = Buffer.isBuffer(reply) ? await this.#read(one(reply)) : null;
      this.#judge(entry, end, value);
    }
  }

  /** When a key ends, in milliseconds since the epoch; 0 for never. */
  #endIn({ expires }: RdbEntry, reply: Reply): bigint {
    throwRefusal(reply);
    const told = BigInt(Number(reply));
    if (told < 0n || this.#tellsMoments) return told < 0n ? 0n : told;
    // Older servers tell how long it still is, and that while the clock goes on.
    const off = this.#now + told - expires;
    return off > -TOLERANCE_MS && off < TOLERANCE_MS ? expires : this.#now + told;
  }

  /** Undefined where it is of a form that is not known here. */
  async #read(pieces: AsyncIterable<Buffer>): Promise<Value | undefined> {
    const reader = new ByteReader(pieces);
    await reader.need(1);
    try {
      const type = reader.byte();
      return await readValue(reader, type, { valkey: this.#valkey });
    } catch (error) {
      if (error instanceof RdbDamage) return undefined;
      throw error;
    } finally {
      for await (const _ of pieces);
    }
  }

  /** @param value null where there is none. */
  #judge(entry: RdbEntry, end: bigint, value: Value | undefined | null): void {
    const tally = this.#tallyOf(entry);
    const { expires, value: expected } = entry;
    const hasEnded = (moment: bigint | undefined) =>
      moment !== undefined && moment !== 0n && moment <= this.#now + TOLERANCE_MS;
    if (value === null) {
      if (hasEnded(expires)) tally.expired += 1;
      else this.#wrong(entry, "is not there");
    } else if (end !== expires) {
      this.#wrong(entry, "expires at another moment");
    } else if (value === undefined || expected.kind === "module") {
      tally.unread += 1;
    } else if (value.kind === expected.kind && value.digest.equals(expected.digest)) {
      tally.same += 1;
    } else if (hasEnded(expected.ends)) {
      // Fields of it have ended since.
      tally.unread += 1;
    } else {
      this.#wrong(entry, "does not hold what it held");
    }
  }

  #tallyOf({ database }: RdbEntry): Tally {
    const { tallies } = this.#proving;
    const found = tallies.get(database);
    if (found !== undefined) return found;
    const made = { same: 0, expired: 0, unread: 0, wrong: 0, examples: [] };
    tallies.set(database, made);
    return made;
  }

  #wrong(entry: RdbEntry, what: string): void {
    const tally = this.#tallyOf(entry);
    tally.wrong += 1;
    if (tally.examples.length >= MOST_NAMED) return;
    tally.examples.push(`${JSON.stringify(entry.name.toString("utf8").slice(0, 80))} ${what}`);
  }
}

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function throwRefusal(reply: Reply): void {
  if (reply instanceof RedisRefusal) throw reply;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof RedisRefusal)) throw error;
}

/** Of an answer to TIME, in milliseconds since the epoch. */
function timeIn(reply: Reply): bigint {
  const [seconds, microseconds] = (Array.isArray(reply) ? reply : []).map(String);
  return BigInt(seconds ?? 0) * 1_000n + BigInt(microseconds ?? 0) / 1_000n;
}
