import type { ByteReader } from "./byte-reader.ts";
import { Collection, Sequence } from "./content-hash.ts";
import { intset, listpack, PackedDamage, ziplist, zipmap } from "./packed.ts";
import { moduleValue } from "./rdb-module.ts";
import { streamValue } from "./rdb-stream.ts";
import { decimal, lengthOf, text, textToken, token } from "./rdb-text.ts";
import type { Dialect, Value } from "./value.ts";

/** Of the value's type in the file. Source: redis/redis, src/rdb.h, "RDB_TYPE_". */
const READERS: Readonly<Record<number, (reader: ByteReader, context: Dialect) => Promise<Value>>> =
  {
    0: stringValue,
    1: (reader) => listOf(texts(reader)),
    2: (reader) => setOf(texts(reader)),
    3: (reader) => sortedSet(reader, oldScore),
    4: (reader) => hashOf(pairs(reader)),
    5: (reader) => sortedSet(reader, binaryScore),
    7: moduleValue,
    9: (reader) => hashOf(packed(reader, zipmap)),
    10: (reader) => listOf(packed(reader, ziplist)),
    11: (reader) => setOf(packed(reader, intset)),
    12: (reader) => packedSortedSet(reader, ziplist),
    13: (reader) => hashOf(packed(reader, ziplist)),
    14: (reader) => listOf(quicklist(reader, ziplist)),
    15: (reader) => streamValue(reader, 1),
    16: (reader) => hashOf(packed(reader, listpack)),
    17: (reader) => packedSortedSet(reader, listpack),
    18: (reader) => listOf(quicklist2(reader)),
    19: (reader) => streamValue(reader, 2),
    20: (reader) => setOf(packed(reader, listpack)),
    21: (reader) => streamValue(reader, 3),
    22: (reader, { valkey }) => (valkey ? valkeyHash(reader) : expiringHash(reader, false)),
    23: (reader) => packedExpiringHash(reader, false),
    24: (reader) => expiringHash(reader, true),
    25: (reader) => packedExpiringHash(reader, true),
    26: (reader) => streamValue(reader, 4),
    27: (reader) => streamValue(reader, 5),
  };

/** The newest type of which the form has been proven against a server that writes it. */
export const NEWEST_SURE_TYPE = 25;

export function knowsType(type: number): boolean {
  return READERS[type] !== undefined;
}

/**
 * Reads a value of the given type.
 *
 * @throws {RdbDamage}
 */
export async function readValue(
  reader: ByteReader,
  type: number,
  dialect: Dialect,
): Promise<Value> {
  const read = READERS[type];
  if (read === undefined) throw reader.damage(`holds a value of an unknown type (${type})`);
  try {
    return await read(reader, dialect);
  } catch (error) {
    if (error instanceof PackedDamage) throw reader.damage(error.message);
    throw error;
  }
}

async function stringValue(reader: ByteReader): Promise<Value> {
  return { kind: "string", elements: 1, digest: await textToken(reader) };
}

/** Tokens of so many texts as the file says. */
async function* texts(reader: ByteReader): AsyncGenerator<Buffer> {
  const count = await lengthOf(reader);
  for (let index = 0; index < count; index += 1) yield await textToken(reader);
}

/** For types whose texts come in pairs the count is one of pairs. */
async function* pairs(reader: ByteReader): AsyncGenerator<Buffer> {
  const count = await lengthOf(reader);
  for (let index = 0; index < count; index += 1) {
    yield await textToken(reader);
    yield await textToken(reader);
  }
}

async function* packed(
  reader: ByteReader,
  elements: (bytes: Buffer) => Iterable<Buffer>,
): AsyncGenerator<Buffer> {
  for (const element of elements(await text(reader))) yield token(element);
}

async function* quicklist(
  reader: ByteReader,
  elements: (bytes: Buffer) => Iterable<Buffer>,
): AsyncGenerator<Buffer> {
  const nodes = await lengthOf(reader);
  for (let node = 0; node < nodes; node += 1) yield* packed(reader, elements);
}

async function* quicklist2(reader: ByteReader): AsyncGenerator<Buffer> {
  const nodes = await lengthOf(reader);
  for (let node = 0; node < nodes; node += 1) {
    const container = await lengthOf(reader);
    if (container === 1) yield await textToken(reader);
    else if (container === 2) yield* packed(reader, listpack);
    else throw reader.damage(`holds a list with an unknown container (${container})`);
  }
}

async function listOf(tokens: AsyncIterable<Buffer>): Promise<Value> {
  const sequence = new Sequence();
  let elements = 0;
  for await (const element of tokens) {
    sequence.add(element);
    elements += 1;
  }
  return { kind: "list", elements, digest: sequence.digest };
}

async function setOf(tokens: AsyncIterable<Buffer>): Promise<Value> {
  const members = new Collection();
  for await (const member of tokens) members.add(member);
  return { kind: "set", elements: members.count, digest: members.digest };
}

async function hashOf(tokens: AsyncIterable<Buffer>): Promise<Value> {
  const fields = new Collection();
  let field: Buffer | undefined;
  for await (const next of tokens) {
    if (field === undefined) {
      field = next;
    } else {
      fields.add(Buffer.concat([field, next]));
      field = undefined;
    }
  }
  if (field !== undefined) throw new PackedDamage("holds a hash whose last field has no value");
  return { kind: "hash", elements: fields.count, digest: fields.digest };
}

/** A field with the moment of its end; without one it counts as in a hash that knows no such. */
function expiringField(field: Buffer, value: Buffer, expires: bigint): Buffer {
  if (expires <= 0n) return Buffer.concat([field, value]);
  return Buffer.concat([field, value, decimal(expires)]);
}

/** A hash whose fields expire each by itself, while it is read. */
class ExpiringHash {
  readonly #fields = new Collection();
  #ends: bigint | undefined;

  add(field: Buffer, value: Buffer, expires: bigint): void {
    this.#fields.add(expiringField(field, value, expires));
    if (expires > 0n && (this.#ends === undefined || expires < this.#ends)) this.#ends = expires;
  }

  get value(): Value {
    const { count: elements, digest } = this.#fields;
    const ends = this.#ends;
    return { kind: "hash", elements, digest, ...(ends === undefined ? {} : { ends }) };
  }
}

async function expiringHash(reader: ByteReader, relative: boolean): Promise<Value> {
  const earliest = relative ? (await reader.bytes(8)).readBigUInt64LE() : 1n;
  const count = await lengthOf(reader);
  const hash = new ExpiringHash();
  for (let index = 0; index < count; index += 1) {
    const written = BigInt(await lengthOf(reader));
    const expires = written === 0n ? 0n : written + earliest - 1n;
    const field = await textToken(reader);
    hash.add(field, await textToken(reader), expires);
  }
  return hash.value;
}

async function valkeyHash(reader: ByteReader): Promise<Value> {
  const count = await lengthOf(reader);
  const hash = new ExpiringHash();
  for (let index = 0; index < count; index += 1) {
    const field = await textToken(reader);
    const value = await textToken(reader);
    hash.add(field, value, (await reader.bytes(8)).readBigInt64LE());
  }
  return hash.value;
}

async function packedExpiringHash(reader: ByteReader, prefixed: boolean): Promise<Value> {
  if (prefixed) await reader.bytes(8);
  const hash = new ExpiringHash();
  let parts: Buffer[] = [];
  for (const element of listpack(await text(reader))) {
    parts.push(element);
    const [field, value, expires] = parts;
    if (field === undefined || value === undefined || expires === undefined) continue;
    const moment = /^\d+$/.test(expires.toString("latin1"))
      ? BigInt(expires.toString("latin1"))
      : 0n;
    hash.add(token(field), token(value), moment);
    parts = [];
  }
  if (parts.length > 0) throw reader.damage("holds a hash whose last field is not whole");
  return hash.value;
}

type ReadScore = (reader: ByteReader) => Promise<number>;

async function sortedSet(reader: ByteReader, score: ReadScore): Promise<Value> {
  const count = await lengthOf(reader);
  const members = new Collection();
  for (let index = 0; index < count; index += 1) {
    const member = await textToken(reader);
    members.add(scored(member, await score(reader)));
  }
  return { kind: "zset", elements: count, digest: members.digest };
}

async function packedSortedSet(
  reader: ByteReader,
  elements: (bytes: Buffer) => Iterable<Buffer>,
): Promise<Value> {
  const members = new Collection();
  let member: Buffer | undefined;
  for (const next of elements(await text(reader))) {
    if (member === undefined) {
      member = token(next);
    } else {
      members.add(scored(member, numberIn(next.toString("latin1"), reader)));
      member = undefined;
    }
  }
  if (member !== undefined)
    throw reader.damage("holds a sorted set whose last member has no score");
  return { kind: "zset", elements: members.count, digest: members.digest };
}

/** A member with its score; the two zeros of floating point numbers count as one. */
function scored(member: Buffer, score: number): Buffer {
  const bytes = Buffer.allocUnsafe(member.length + 8);
  member.copy(bytes);
  bytes.writeDoubleLE(score === 0 ? 0 : score, member.length);
  return bytes;
}

async function binaryScore(reader: ByteReader): Promise<number> {
  const score = (await reader.bytes(8)).readDoubleLE();
  if (Number.isNaN(score)) throw reader.damage("holds a score that is no number");
  return score;
}

async function oldScore(reader: ByteReader): Promise<number> {
  if (reader.buffered < 256) await reader.need(256);
  const length = reader.byte();
  if (length === 253) throw reader.damage("holds a score that is no number");
  if (length >= 254) return length === 254 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return numberIn(reader.take(length).toString("latin1"), reader);
}

function numberIn(written: string, reader: ByteReader): number {
  const infinite = /^([+-]?)inf(inity)?$/i.exec(written);
  if (infinite) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const number = written.trim() === "" ? Number.NaN : Number(written);
  if (Number.isNaN(number)) throw reader.damage("holds a score that is no number");
  return number;
}
