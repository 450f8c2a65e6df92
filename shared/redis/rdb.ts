import { type ByteKeeper, ByteReader } from "./byte-reader.ts";
import { RdbDamage } from "./damage.ts";
import { skipKeyMetadata, skipModuleData } from "./rdb-module.ts";
import { lengthOf, text, textToken, token } from "./rdb-text.ts";
import { knowsType, NEWEST_SURE_TYPE, readValue } from "./rdb-value.ts";
import type { Dialect, Value } from "./value.ts";

/** What is told of an RDB while it streams by. */
export interface RdbListener {
  key(key: RdbKey): void;
  /** How many keys the server says that the database has, and how many of them expire. */
  sizes(database: number, keys: number, expiring: number): void;
  /** The token of a library of functions. */
  library(code: Buffer): void;
  /** For whoever wants keys and values as they stand in the file too, and may take time for each. */
  readonly verbatim?: VerbatimListener;
}

export interface VerbatimListener {
  /** Who gets the bytes of the next value, which is of this type. */
  keeperFor(type: number): ByteKeeper;
  /** Told when the keeper has got all of them. */
  entry(entry: RdbEntry): Promise<void> | undefined;
  /** A library of functions, its code as it is. */
  code(code: Buffer): void;
}

/** A key as it stands in the file. */
export interface RdbEntry extends RdbKey {
  readonly name: Buffer;
  /** Seconds since it was last used, where the server wrote that. */
  readonly idle: number | undefined;
  /** The logarithmic counter of its uses, where the server wrote that. */
  readonly frequency: number | undefined;
}

export interface RdbKey {
  readonly database: number;
  /** As it goes into hashes: its length, then its bytes. */
  readonly token: Buffer;
  /** When it ends, in milliseconds since the Unix epoch; 0 for never. */
  readonly expires: bigint;
  readonly value: Value;
}

/** What an RDB says of itself. */
export interface RdbSummary {
  readonly format: "REDIS" | "VALKEY";
  readonly version: number;
  readonly bytes: number;
  /** What the server wrote beside the data: `redis-ver`, `ctime`, `used-mem`, `repl-id`. */
  readonly facts: Readonly<Record<string, string>>;
  /** Whether the checksum at the end was there and right; a server can leave it out. */
  readonly checksum: "right" | "absent";
  /** Modules of which there are values or data, which nobody else can read. */
  readonly modules: readonly string[];
  /** Why values from some place on could not be looked into; their bytes were summed all the same. */
  readonly opaque: string | undefined;
}

/** Source: redis/redis, src/rdb.h, "RDB_OPCODE_". */
const OPCODE = {
  ofServer: 243,
  slotInfo: 244,
  library: 245,
  oldLibrary: 246,
  moduleData: 247,
  idle: 248,
  frequency: 249,
  fact: 250,
  sizes: 251,
  expiresMs: 252,
  expires: 253,
  database: 254,
  end: 255,
} as const;
const HEADER = /^(REDIS|VALKEY)(\d{3,4})$/;
const OLDEST_SUMMED = 5;
const MOST_FACTS = 100;

/**
 * Reads an RDB as it streams by, to its very end: structure, every value, checksum.
 *
 * Source: Redis RDB file format; redis/redis, src/rdb.c, "rdbLoadRioWithLoadingCtx".
 *
 * @throws {RdbDamage}
 */
export async function readRdb(
  chunks: AsyncIterable<Buffer>,
  listener: RdbListener,
): Promise<RdbSummary> {
  const reader = new ByteReader(chunks);
  const header = await readHeader(reader);
  const body = new Body(reader, listener, { valkey: header.format === "VALKEY" });
  try {
    await body.read();
  } catch (error) {
    if (!(error instanceof RdbDamage) || body.unsure === undefined) throw error;
    body.opaque = body.unsure;
  }
  const checksum =
    body.opaque === undefined
      ? await readEnd(reader, header.version)
      : await skipToEnd(reader, header.version, body.opaque);
  return {
    ...header,
    bytes: reader.offset,
    facts: body.facts,
    checksum,
    modules: [...body.modules].sort(),
    opaque: body.opaque,
  };
}

async function readHeader(
  reader: ByteReader,
): Promise<{ readonly format: "REDIS" | "VALKEY"; readonly version: number }> {
  await reader.need(9);
  if (reader.buffered === 0) throw reader.damage("is empty");
  if (reader.buffered < 9) throw reader.cut();
  const header = reader.take(9).toString("latin1");
  const [, format, digits] = HEADER.exec(header) ?? [];
  if (format !== "REDIS" && format !== "VALKEY") {
    throw new RdbDamage("does not begin with REDIS and a version, so that it is none", 0);
  }
  const version = Number(digits);
  if (version === 0) throw new RdbDamage("says that it is of version 0", 5);
  return { format, version };
}

/** What lies between an RDB's header and its end. */
class Body {
  readonly #reader: ByteReader;
  readonly #listener: RdbListener;
  readonly #dialect: Dialect;
  readonly facts: Record<string, string> = {};
  readonly modules = new Set<string>();
  /** Why it could not be read on from some place. */
  opaque: string | undefined;
  /** Why damage found after here might be none: something is newer than what is known for sure. */
  unsure: string | undefined;
  #database = 0;
  #expires = 0n;
  #idle: number | undefined;
  #frequency: number | undefined;

  constructor(reader: ByteReader, listener: RdbListener, dialect: Dialect) {
    this.#reader = reader;
    this.#listener = listener;
    this.#dialect = dialect;
  }

  async read(): Promise<void> {
    const reader = this.#reader;
    for (;;) {
      if (reader.buffered < 16) await reader.need(16);
      const opcode = reader.byte();
      if (opcode === OPCODE.end) return;
      if (opcode < OPCODE.ofServer) {
        if (!knowsType(opcode)) {
          this.opaque = unknownType(opcode);
          return;
        }
        await this.#key(opcode);
      } else if (!(await this.#opcode(opcode))) {
        return;
      }
    }
  }

  async #key(type: number): Promise<void> {
    if (type > NEWEST_SURE_TYPE) this.unsure ??= unknownType(type);
    const { verbatim } = this.#listener;
    const key =
      verbatim === undefined ? await this.#read(type) : await this.#keepEntry(type, verbatim);
    if (key.value.module !== undefined) this.modules.add(key.value.module);
    this.#listener.key(key);
    this.#expires = 0n;
    this.#idle = undefined;
    this.#frequency = undefined;
  }

  async #read(type: number): Promise<RdbKey> {
    const key = await textToken(this.#reader);
    const value = await readValue(this.#reader, type, this.#dialect);
    return { database: this.#database, token: key, expires: this.#expires, value };
  }

  async #keepEntry(type: number, verbatim: VerbatimListener): Promise<RdbKey> {
    const name = await text(this.#reader);
    this.#reader.startKeeping(verbatim.keeperFor(type));
    const value = await readValue(this.#reader, type, this.#dialect);
    await this.#reader.stopKeeping();
    const key = { database: this.#database, token: token(name), expires: this.#expires, value };
    const waiting = verbatim.entry({
      ...{ ...key, name, idle: this.#idle, frequency: this.#frequency },
    });
    if (waiting !== undefined) await waiting;
    return key;
  }

  /** Whether reading goes on. */
  async #opcode(opcode: number): Promise<boolean> {
    const reader = this.#reader;
    switch (opcode) {
      case OPCODE.expiresMs:
        this.#expires = reader.take(8).readBigInt64LE();
        return true;
      case OPCODE.expires:
        this.#expires = BigInt(reader.take(4).readInt32LE()) * 1000n;
        return true;
      case OPCODE.idle:
        this.#idle = await lengthOf(reader);
        return true;
      case OPCODE.frequency:
        this.#frequency = reader.byte();
        return true;
      case OPCODE.database:
        this.#database = await lengthOf(reader);
        if (this.#database > 2 ** 31) throw reader.damage("names a database that cannot be");
        return true;
      case OPCODE.sizes:
        this.#listener.sizes(this.#database, await lengthOf(reader), await lengthOf(reader));
        return true;
      case OPCODE.fact:
        await this.#fact();
        return true;
      case OPCODE.library:
        await this.#library();
        return true;
      case OPCODE.slotInfo:
        for (let field = 0; field < 3; field += 1) await lengthOf(reader);
        return true;
      case OPCODE.moduleData:
        this.modules.add(await skipModuleData(reader));
        return true;
    }
    return await this.#rare(opcode);
  }

  async #rare(opcode: number): Promise<boolean> {
    const reader = this.#reader;
    if (opcode === OPCODE.oldLibrary) {
      this.opaque = "functions as only candidates of Redis 7.0 wrote them";
      return false;
    }
    // The one number means slots on their way to Valkey, and modules' data of a key to Redis.
    if (this.#dialect.valkey) {
      await textToken(reader);
      const ranges = await lengthOf(reader);
      for (let field = 0; field < 2 * ranges; field += 1) await lengthOf(reader);
      return true;
    }
    this.unsure ??= "data that modules keep of a key";
    await skipKeyMetadata(reader);
    return true;
  }

  async #library(): Promise<void> {
    const code = await text(this.#reader);
    this.#listener.verbatim?.code(code);
    this.#listener.library(token(code));
  }

  async #fact(): Promise<void> {
    const [name, value] = await factIn(this.#reader);
    if (Object.keys(this.facts).length < MOST_FACTS) this.facts[name] = value;
  }
}

async function factIn(reader: ByteReader): Promise<[name: string, value: string]> {
  const name = (await text(reader, 65_536)).toString("latin1");
  const value = (await text(reader)).toString("latin1");
  return [name.slice(0, 100), value.slice(0, 200)];
}

/**
 * What an RDB says of its server at its beginning: `redis-ver`, `used-mem` and others.
 *
 * @throws {RdbDamage}
 */
export async function readFacts(
  chunks: AsyncIterable<Buffer>,
): Promise<Readonly<Record<string, string>>> {
  const reader = new ByteReader(chunks);
  await readHeader(reader);
  const facts: Record<string, string> = {};
  while (!(await reader.atEnd()) && reader.byte() === OPCODE.fact) {
    const [name, value] = await factIn(reader);
    facts[name] = value;
  }
  return facts;
}

function unknownType(type: number): string {
  return `values of type ${type}, which servers newer than those known here write`;
}

async function readEnd(reader: ByteReader, version: number): Promise<"right" | "absent"> {
  const result = version < OLDEST_SUMMED ? "absent" : await readChecksum(reader);
  if (!(await reader.atEnd())) throw reader.damage("goes on behind its end");
  return result;
}

async function readChecksum(reader: ByteReader): Promise<"right" | "absent"> {
  const found = reader.checksum;
  await reader.need(8);
  const written = reader.take(8).readBigUInt64LE();
  if (written === 0n) return "absent";
  if (written !== found) {
    throw reader.damage(`ends with the checksum ${hex(written)}, and its bytes give ${hex(found)}`);
  }
  return "right";
}

/** Sums what cannot be read, up to the checksum, which is the last there is. */
async function skipToEnd(
  reader: ByteReader,
  version: number,
  opaque: string,
): Promise<"right" | "absent"> {
  const tail = version < OLDEST_SUMMED ? 1 : 9;
  for (;;) {
    await reader.need(65_536 + tail);
    if (reader.buffered < tail) throw reader.cut();
    if (reader.buffered === tail) break;
    reader.take(Math.min(65_536, reader.buffered - tail));
  }
  if (reader.byte() !== OPCODE.end) {
    throw reader.damage(`does not end as it should (it holds ${opaque})`);
  }
  return await readEnd(reader, version);
}

function hex(checksum: bigint): string {
  return checksum.toString(16).padStart(16, "0");
}
