import { createHash } from "node:crypto";
import type { ByteReader } from "./byte-reader.ts";
import { unpackLzf } from "./lzf.ts";

/** Texts of up to this many bytes go into a hash as they are, longer ones as their SHA-256. */
const LONGEST_WHOLE = 65_536;
/** Of a packed list, set, hash or node of a stream; servers keep them to a few KiB. */
const LONGEST_BLOB = 512 * 1024 * 1024;

/** A length, or the way in which a text is written instead of with a length. */
export interface Length {
  readonly value: number;
  readonly encoded: boolean;
}

/**
 * Reads a length.
 *
 * Source: Redis RDB file format, "Length Encoding".
 */
export async function lengthOrEncoding(reader: ByteReader): Promise<Length> {
  if (reader.buffered < 9) await reader.need(9);
  const first = reader.byte();
  const low = first & 0x3f;
  switch (first >> 6) {
    case 0:
      return { value: low, encoded: false };
    case 1:
      return { value: (low << 8) | reader.byte(), encoded: false };
    case 3:
      return { value: low, encoded: true };
  }
  if (first === 0x80) return { value: reader.take(4).readUInt32BE(), encoded: false };
  if (first !== 0x81) throw reader.damage(`holds a length of an unknown form (${first})`);
  const value = Number(reader.take(8).readBigUInt64BE());
  return { value, encoded: false };
}

/** A length that counts something. Up to 2^53 it is exact, and beyond that a file cannot be. */
export async function lengthOf(reader: ByteReader): Promise<number> {
  const { value, encoded } = await lengthOrEncoding(reader);
  if (encoded) throw reader.damage("has a text where a length belongs");
  return value;
}

/** A length of 64 bits in full, such as a stream's ID. */
export async function longLength(reader: ByteReader): Promise<bigint> {
  if (reader.buffered < 9) await reader.need(9);
  const first = reader.byte();
  if (first === 0x81) return reader.take(8).readBigUInt64BE();
  if (first === 0x80) return BigInt(reader.take(4).readUInt32BE());
  if (first >> 6 === 0) return BigInt(first);
  if (first >> 6 === 1) return BigInt(((first & 0x3f) << 8) | reader.byte());
  throw reader.damage("has a text where a number belongs");
}

/** Skips or tells how a text is written: its own length, and its bytes in pieces. */
async function open(
  reader: ByteReader,
): Promise<{ readonly length: number; readonly pieces: AsyncIterable<Buffer> | Buffer }> {
  const { value, encoded } = await lengthOrEncoding(reader);
  if (!encoded) {
    if (reader.buffered >= value) return { length: value, pieces: reader.take(value) };
    if (value <= LONGEST_WHOLE) return { length: value, pieces: await reader.bytes(value) };
    return { length: value, pieces: reader.pieces(value) };
  }
  if (value > 3) throw reader.damage(`holds a text of an unknown encoding (${value})`);
  if (value < 3) {
    const number = await integer(reader, value);
    return { length: number.length, pieces: number };
  }
  const packed = await lengthOf(reader);
  const length = await lengthOf(reader);
  return { length, pieces: unpackLzf(reader, packed, length) };
}

async function integer(reader: ByteReader, encoding: number): Promise<Buffer> {
  if (reader.buffered < 4) await reader.need(4);
  if (encoding === 0) return decimal(reader.take(1).readInt8());
  return decimal(encoding === 1 ? reader.take(2).readInt16LE() : reader.take(4).readInt32LE());
}

export function decimal(value: number | bigint): Buffer {
  return Buffer.from(String(value), "latin1");
}

/** A text's bytes as they go into hashes: the same however the text was written. */
export function token(text: Buffer): Buffer {
  if (text.length > LONGEST_WHOLE) {
    return digestToken(text.length, createHash("sha256").update(text).digest());
  }
  const bytes = Buffer.allocUnsafe(text.length + 4);
  bytes.writeUInt32LE(text.length, 0);
  text.copy(bytes, 4);
  return bytes;
}

function digestToken(length: number, digest: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(12 + digest.length);
  bytes.writeUInt32LE(0xffffffff, 0);
  bytes.writeBigUInt64LE(BigInt(length), 4);
  digest.copy(bytes, 12);
  return bytes;
}

/** Reads a text of any length, and gives its token. */
export async function textToken(reader: ByteReader): Promise<Buffer> {
  const { length, pieces } = await open(reader);
  if (Buffer.isBuffer(pieces)) return token(pieces);
  if (length <= LONGEST_WHOLE) return token(await joined(pieces));
  const sum = createHash("sha256");
  for await (const piece of pieces) sum.update(piece);
  return digestToken(length, sum.digest());
}

/**
 * Reads a text whole.
 *
 * @throws {RdbDamage} when it is longer than `longest` bytes.
 */
export async function text(reader: ByteReader, longest = LONGEST_BLOB): Promise<Buffer> {
  const { length, pieces } = await open(reader);
  if (length > longest)
    throw reader.damage(`holds a text of ${length} bytes where none is as long`);
  return Buffer.isBuffer(pieces) ? pieces : await joined(pieces);
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  // Copies: a piece is valid only until the next one.
  for await (const piece of pieces) parts.push(Buffer.from(piece));
  const [only] = parts;
  return parts.length === 1 && only ? only : Buffer.concat(parts);
}
