import { crc32 } from "node:zlib";
import { FormatError } from "../../failure/index.ts";

/**
 * An artifact is a ZIP file. Ours has one member, and its content is in blocks of deflate that are
 * stored as they are (a backup is compressed already): so the place of every byte is known, and
 * any reader, also one that only sees a stream, finds the member's end.
 * Source: APPNOTE.TXT 6.3.10 of the ZIP format; RFC 1951, 3.2.4.
 */
const BLOCK = 65_535;
const FRAMED = BLOCK + 5;
const LOCAL = 30;
const CENTRAL = 46;
/** Both sizes, in eight bytes each, with the head of the field. */
const LOCAL_EXTRA = 20;
/** The same, and the place of the member. */
const CENTRAL_EXTRA = 28;
const DESCRIPTOR = 24;
/** Its record for large files, the pointer to that, and the record for all readers. */
const ENDS = 56 + 20 + 22;
/** Sizes come behind the content; the name is UTF-8. */
const FLAGS = 0x0808;
const DEFLATE = 8;
const ZIP64_VERSION = 45;
const LARGE = 0xffff_ffff;

/** A ZIP file with one member, as a stream. */
export async function* zipped(
  name: string,
  content: AsyncIterable<Buffer | string>,
): AsyncGenerator<Buffer> {
  yield localHeader(name);
  let sum = 0;
  let bytes = 0;
  let held = Buffer.alloc(0);
  for await (const chunk of content) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    sum = crc32(piece, sum);
    bytes += piece.length;
    let rest = held.length === 0 ? piece : Buffer.concat([held, piece]);
    // One is held back: only the last says that it is the last.
    while (rest.length > BLOCK) {
      yield* framed(rest.subarray(0, BLOCK), false);
      rest = rest.subarray(BLOCK);
    }
    held = Buffer.from(rest);
  }
  yield* framed(held, true);
  yield tail(name, bytes, sum);
}

function* framed(block: Buffer, last: boolean): Generator<Buffer> {
  const head = Buffer.alloc(5);
  head.writeUInt8(last ? 1 : 0);
  head.writeUInt16LE(block.length, 1);
  head.writeUInt16LE(~block.length & 0xffff, 3);
  yield head;
  if (block.length > 0) yield block;
}

/** How many blocks there are; an empty member has one, too. */
function blocksOf(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BLOCK));
}

/** How long the content is within the ZIP file. */
function packedBytes(bytes: number): number {
  return bytes + 5 * blocksOf(bytes);
}

function overhead(name: string): number {
  const length = Buffer.byteLength(name);
  return LOCAL + length + LOCAL_EXTRA + DESCRIPTOR + CENTRAL + length + CENTRAL_EXTRA + ENDS;
}

/** How long the ZIP file is for a member of a name and size. */
export function zippedBytes(name: string, bytes: number): number {
  return overhead(name) + packedBytes(bytes);
}

/** How long the member is in a ZIP file of ours; undefined for a file that cannot be one. */
export function contentBytes(name: string, zipBytes: number): number | undefined {
  const packed = zipBytes - overhead(name);
  const bytes = packed - 5 * Math.max(1, Math.ceil(packed / FRAMED));
  return bytes >= 0 && zippedBytes(name, bytes) === zipBytes ? bytes : undefined;
}

/** Where the content begins. */
export function contentStart(name: string): number {
  return LOCAL + Buffer.byteLength(name) + LOCAL_EXTRA;
}

function localHeader(name: string): Buffer {
  const file = Buffer.from(name);
  const header = Buffer.alloc(LOCAL + file.length + LOCAL_EXTRA);
  header.writeUInt32LE(0x0403_4b50);
  header.writeUInt16LE(ZIP64_VERSION, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DEFLATE, 8);
  // 1 January 1980: its own time is in the manifest.
  header.writeUInt16LE(0x21, 12);
  header.writeUInt32LE(LARGE, 18);
  header.writeUInt32LE(LARGE, 22);
  header.writeUInt16LE(file.length, 26);
  header.writeUInt16LE(LOCAL_EXTRA, 28);
  file.copy(header, LOCAL);
  header.writeUInt16LE(1, LOCAL + file.length);
  header.writeUInt16LE(16, LOCAL + file.length + 2);
  return header;
}

function tail(name: string, bytes: number, sum: number): Buffer {
  const packed = packedBytes(bytes);
  const descriptor = Buffer.alloc(DESCRIPTOR);
  descriptor.writeUInt32LE(0x0807_4b50);
  descriptor.writeUInt32LE(sum, 4);
  descriptor.writeBigUInt64LE(BigInt(packed), 8);
  descriptor.writeBigUInt64LE(BigInt(bytes), 16);
  const central = centralHeader(name, bytes, packed, sum);
  const at = contentStart(name) + packed + DESCRIPTOR;
  return Buffer.concat([descriptor, central, endRecords(at, central.length)]);
}

function centralHeader(name: string, bytes: number, packed: number, sum: number): Buffer {
  const file = Buffer.from(name);
  const header = Buffer.alloc(CENTRAL + file.length + CENTRAL_EXTRA);
  header.writeUInt32LE(0x0201_4b50);
  // Made on Unix, for the member's mode.
  header.writeUInt16LE(0x0300 | ZIP64_VERSION, 4);
  header.writeUInt16LE(ZIP64_VERSION, 6);
  header.writeUInt16LE(FLAGS, 8);
  header.writeUInt16LE(DEFLATE, 10);
  header.writeUInt16LE(0x21, 14);
  header.writeUInt32LE(sum, 16);
  header.writeUInt32LE(LARGE, 20);
  header.writeUInt32LE(LARGE, 24);
  header.writeUInt16LE(file.length, 28);
  header.writeUInt16LE(CENTRAL_EXTRA, 30);
  header.writeUInt32LE((0o100_644 << 16) >>> 0, 38);
  header.writeUInt32LE(LARGE, 42);
  file.copy(header, CENTRAL);
  const extra = CENTRAL + file.length;
  header.writeUInt16LE(1, extra);
  header.writeUInt16LE(24, extra + 2);
  header.writeBigUInt64LE(BigInt(bytes), extra + 4);
  header.writeBigUInt64LE(BigInt(packed), extra + 12);
  return header;
}

function endRecords(at: number, length: number): Buffer {
  const ends = Buffer.alloc(ENDS);
  ends.writeUInt32LE(0x0606_4b50);
  ends.writeBigUInt64LE(44n, 4);
  ends.writeUInt16LE(0x0300 | ZIP64_VERSION, 12);
  ends.writeUInt16LE(ZIP64_VERSION, 14);
  ends.writeBigUInt64LE(1n, 24);
  ends.writeBigUInt64LE(1n, 32);
  ends.writeBigUInt64LE(BigInt(length), 40);
  ends.writeBigUInt64LE(BigInt(at), 48);
  ends.writeUInt32LE(0x0706_4b50, 56);
  ends.writeBigUInt64LE(BigInt(at + length), 64);
  ends.writeUInt32LE(1, 72);
  ends.writeUInt32LE(0x0605_4b50, 76);
  ends.writeUInt16LE(1, 84);
  ends.writeUInt16LE(1, 86);
  ends.writeUInt32LE(length, 88);
  ends.writeUInt32LE(LARGE, 92);
  return ends;
}

/** A stretch of the ZIP file that holds what is wanted of the content, and what to take of it. */
export interface ZipSpan {
  readonly from: number;
  readonly to: number;
  /** Bytes of the content before what is wanted. */
  readonly skip: number;
}

/** Where the content from one byte to another lies, in whole blocks. */
export function spanIn(name: string, bytes: number, from: number, to: number): ZipSpan {
  const start = contentStart(name);
  const first = Math.floor(from / BLOCK);
  const last = Math.floor(Math.max(to - 1, from) / BLOCK);
  return {
    from: start + first * FRAMED,
    to: Math.min(start + (last + 1) * FRAMED, start + packedBytes(bytes)),
    skip: from - first * BLOCK,
  };
}

/**
 * The content of a whole ZIP file of ours, held against its own sum.
 *
 * @throws {FormatError} where the file is none of ours, or is damaged.
 */
export async function* unzipped(
  name: string,
  bytes: number,
  zip: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const reader = new Reader(zip);
  const header = localHeader(name);
  if (!(await reader.take(header.length)).equals(header)) {
    throw new FormatError("it is no artifact of this storage's making");
  }
  let sum = 0;
  for await (const piece of unframed(reader, bytes)) {
    sum = crc32(piece, sum);
    yield piece;
  }
  const expected = tail(name, bytes, sum);
  if (!(await reader.take(expected.length)).equals(expected)) {
    throw new FormatError("its content does not have the sum that it was written with");
  }
  await reader.end();
}

/** The content of whole blocks. */
export async function* unpacked(
  zip: AsyncIterable<Buffer>,
  { skip, wanted }: { readonly skip: number; readonly wanted: number },
): AsyncGenerator<Buffer> {
  let [before, left] = [skip, wanted];
  for await (const piece of blocks(new Reader(zip), () => left > 0)) {
    const rest = piece.subarray(Math.min(before, piece.length), before + left);
    before -= Math.min(before, piece.length);
    left -= rest.length;
    if (rest.length > 0) yield rest;
  }
}

async function* unframed(reader: Reader, bytes: number): AsyncGenerator<Buffer> {
  let [count, left] = [blocksOf(bytes), bytes];
  for await (const block of blocks(reader, () => count > 0)) {
    count -= 1;
    left -= block.length;
    yield block;
  }
  if (left !== 0) throw new FormatError("its content is not as long as it says");
}

async function* blocks(reader: Reader, more: () => boolean): AsyncGenerator<Buffer> {
  while (more()) {
    const head = await reader.take(5);
    const length = head.readUInt16LE(1);
    const isOdd = head.readUInt8() > 1 || (length ^ head.readUInt16LE(3)) !== 0xffff;
    if (isOdd) throw new FormatError("a block of its content is damaged");
    yield await reader.take(length);
  }
}

/** Gives so many bytes of a stream at a time. */
class Reader {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Nothing is to come any more; whoever counts what comes learns that now. */
  async end(): Promise<void> {
    const { done } = await this.#source.next();
    if (done !== true || this.#held.length > 0) throw new FormatError("it is longer than it says");
  }

  async take(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let missing = bytes; missing > 0; ) {
      if (this.#held.length === 0) {
        const { value, done } = await this.#source.next();
        if (done === true) throw new FormatError("it ends too early");
        this.#held = value;
      }
      const taken = this.#held.subarray(0, missing);
      this.#held = this.#held.subarray(taken.length);
      pieces.push(taken);
      missing -= taken.length;
    }
    return pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces, bytes);
  }
}
