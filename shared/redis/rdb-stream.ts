import type { ByteReader } from "./byte-reader.ts";
import { Collection, Sequence } from "./content-hash.ts";
import { listpack, PackedDamage } from "./packed.ts";
import { decimal, lengthOf, longLength, text, textToken, token } from "./rdb-text.ts";
import type { Value } from "./value.ts";

const DELETED = 1;
const SAME_FIELDS = 2;

/**
 * Reads a stream with its consumer groups.
 *
 * Hashed are the entries, the last ID, and of each group its name, last ID, consumers and pending
 * entries: what a reader can see. The counters that newer servers work out when they load what an
 * older one wrote (entries added and read, largest deleted ID, active times) are not.
 *
 * Source: redis/redis, src/rdb.c, "RDB_TYPE_STREAM_LISTPACKS"; src/t_stream.c, "listpack".
 *
 * @param version 1 for Redis 5 and 6, 2 for 7.0, 3 for 7.2, 4 and 5 for 8.
 * @throws {RdbDamage}
 */
export async function streamValue(reader: ByteReader, version: number): Promise<Value> {
  const sequence = new Sequence();
  const nodes = await lengthOf(reader);
  let entries = 0;
  for (let node = 0; node < nodes; node += 1) {
    const master = await text(reader);
    if (master.length !== 16) throw reader.damage("holds a stream whose node has no ID");
    const first = { ms: master.readBigUInt64BE(0), seq: master.readBigUInt64BE(8) };
    for (const entry of nodeEntries(await text(reader), first)) {
      sequence.add(entry);
      entries += 1;
    }
  }
  const length = await lengthOf(reader);
  if (length !== entries) {
    throw reader.damage(`holds a stream of ${entries} entries that says it has ${length}`);
  }
  sequence.add(await idToken(reader));
  if (version >= 2) {
    for (let field = 0; field < 5; field += 1) await longLength(reader);
  }
  sequence.add(await groups(reader, version));
  if (version >= 4) await producers(reader);
  return { kind: "stream", elements: entries, digest: sequence.digest };
}

interface StreamId {
  readonly ms: bigint;
  readonly seq: bigint;
}

async function idToken(reader: ByteReader): Promise<Buffer> {
  const ms = await longLength(reader);
  return decimal2(ms, await longLength(reader));
}

function decimal2(ms: bigint, seq: bigint): Buffer {
  return token(Buffer.from(`${ms}-${seq}`, "latin1"));
}

/** The entries of a node, each as the bytes to hash: its ID, then its fields and values. */
function* nodeEntries(bytes: Buffer, first: StreamId): Generator<Buffer> {
  const elements = listpack(bytes);
  const next = () => {
    const { done, value } = elements.next();
    if (done) throw new PackedDamage("holds a stream whose node is cut short");
    return value;
  };
  const number = () => {
    const written = next().toString("latin1");
    if (!/^-?\d{1,20}$/.test(written)) {
      throw new PackedDamage("holds a stream with a text where a number belongs");
    }
    return BigInt(written);
  };
  const count = number();
  const total = count + number();
  const fields: Buffer[] = [];
  for (let left = number(); left > 0n; left -= 1n) fields.push(token(next()));
  next();
  let live = 0n;
  for (let entry = 0n; entry < total; entry += 1n) {
    const flags = Number(number());
    const id = decimal2(first.ms + number(), BigInt.asUintN(64, first.seq + number()));
    const parts = [id];
    if ((flags & SAME_FIELDS) !== 0) {
      for (const field of fields) parts.push(field, token(next()));
    } else {
      for (let left = number(); left > 0n; left -= 1n) parts.push(token(next()), token(next()));
    }
    next();
    if ((flags & DELETED) !== 0) continue;
    live += 1n;
    yield Buffer.concat([...parts, decimal(parts.length)]);
  }
  if (live !== count || !elements.next().done) {
    throw new PackedDamage("holds a stream whose node has another count than it says");
  }
}

async function groups(reader: ByteReader, version: number): Promise<Buffer> {
  const count = await lengthOf(reader);
  const all = new Collection();
  for (let index = 0; index < count; index += 1) {
    const name = await textToken(reader);
    const last = await idToken(reader);
    if (version >= 2) await longLength(reader);
    const pending = await pendingEntries(reader);
    const consumers = await consumersOf(reader, version, pending.ids);
    if (version >= 5) await skipIds(reader);
    all.add(Buffer.concat([name, last, pending.digest, consumers]));
  }
  return all.digest;
}

async function pendingEntries(
  reader: ByteReader,
): Promise<{ readonly digest: Buffer; readonly ids: number }> {
  const count = await lengthOf(reader);
  const all = new Collection();
  for (let index = 0; index < count; index += 1) {
    const idAndTime = Buffer.from(await reader.bytes(24));
    const deliveries = await longLength(reader);
    all.add(Buffer.concat([idAndTime, decimal(deliveries)]));
  }
  return { digest: all.digest, ids: count };
}

async function consumersOf(reader: ByteReader, version: number, pending: number): Promise<Buffer> {
  const count = await lengthOf(reader);
  const all = new Collection();
  let owned = 0;
  for (let index = 0; index < count; index += 1) {
    const name = await textToken(reader);
    // The time it was last seen changes with every read, also on a server that only loads.
    await reader.bytes(version >= 3 ? 16 : 8);
    const ids = await lengthOf(reader);
    owned += ids;
    const own = new Collection();
    for (let id = 0; id < ids; id += 1) own.add(Buffer.from(await reader.bytes(16)));
    all.add(Buffer.concat([name, own.digest]));
  }
  if (owned > pending) {
    throw reader.damage("holds a stream whose consumers wait for more entries than are pending");
  }
  return all.digest;
}

/** IDs of pending entries that no consumer owns. */
async function skipIds(reader: ByteReader): Promise<void> {
  const count = await lengthOf(reader);
  for (let index = 0; index < count; index += 1) await reader.bytes(16);
}

/** What newer servers remember of producers so as to take each entry once. */
async function producers(reader: ByteReader): Promise<void> {
  await longLength(reader);
  await longLength(reader);
  const count = await lengthOf(reader);
  for (let producer = 0; producer < count; producer += 1) {
    await textToken(reader);
    const entries = await lengthOf(reader);
    for (let entry = 0; entry < entries; entry += 1) {
      await textToken(reader);
      await longLength(reader);
      await longLength(reader);
    }
  }
  await longLength(reader);
  await longLength(reader);
}
