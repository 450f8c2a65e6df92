import type { ByteCursor } from "./byte-cursor.ts";
import { BrokenCompression } from "./inflate.ts";
import { XxHash32, xxHash32 } from "./xx-hash.ts";

/** A match may reach back so far. */
const WINDOW = 65_536;
const MAGIC = 0x184d2204;
const BLOCK_SIZES: Readonly<Record<number, number>> = {
  4: 65_536,
  5: 262_144,
  6: 1_048_576,
  7: 4_194_304,
};

/**
 * Unpacks one frame of lz4, as pg_dump and the lz4 program write them; Node has no lz4. The cursor
 * stands behind it afterwards. Sums of the header, of blocks and of the content are held to.
 *
 * Source: the LZ4 frame format, version 1.6.
 *
 * @throws {BrokenCompression} where it is broken or ends too early.
 */
export async function* lz4Frame(cursor: ByteCursor): AsyncGenerator<Buffer> {
  const traits = await readTraits(cursor);
  const sum = new XxHash32();
  let before: Buffer = Buffer.alloc(0);
  let bytes = 0;
  for (;;) {
    const size = (await need(cursor, 4)).readUInt32LE(0);
    if (size === 0) break;
    const length = size & 0x7fffffff;
    if (length > traits.blockSize) throw new BrokenCompression("a block is longer than allowed");
    const packed = await need(cursor, length);
    if (traits.blockSums) await holdSum(cursor, xxHash32(packed), "of a block");
    const stored = size >>> 31 === 1;
    const plain = stored ? Buffer.from(packed) : unpack(packed, before, traits.blockSize);
    if (traits.linked) {
      before = Buffer.from(Buffer.concat([before, plain]).subarray(-WINDOW));
    }
    if (traits.contentSum) sum.update(plain);
    bytes += plain.length;
    yield plain;
  }
  if (traits.contentSum) await holdSum(cursor, sum.digest(), "of the content");
  if (traits.contentBytes !== undefined && traits.contentBytes !== bytes) {
    throw new BrokenCompression(
      `it holds ${bytes} bytes where its header says ${traits.contentBytes}`,
    );
  }
}

/** What the first bytes of a file hold, as far as they go. */
export function lz4HeadOf(head: Buffer): Buffer | undefined {
  const flags = head[4] ?? 0;
  let at = 7 + ((flags & 8) !== 0 ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0);
  if (head.length < at + 4) return undefined;
  const size = head.readUInt32LE(at);
  at += 4;
  const packed = head.subarray(at, at + (size & 0x7fffffff));
  if (size >>> 31 === 1) return packed;
  const partial: Buffer[] = [];
  try {
    return unpack(packed, Buffer.alloc(0), 4_194_304, partial);
  } catch {
    return partial[0];
  }
}

interface Traits {
  readonly linked: boolean;
  readonly blockSums: boolean;
  readonly contentSum: boolean;
  readonly contentBytes: number | undefined;
  readonly blockSize: number;
}

async function readTraits(cursor: ByteCursor): Promise<Traits> {
  const start = await need(cursor, 6);
  if (start.readUInt32LE(0) !== MAGIC) throw new BrokenCompression("it is no frame of lz4");
  const flags = start[4] ?? 0;
  if (flags >> 6 !== 1) throw new BrokenCompression("it is of a version that does not exist");
  const blockSize = BLOCK_SIZES[((start[5] ?? 0) >> 4) & 7];
  if (blockSize === undefined) throw new BrokenCompression("its header has no size of blocks");
  const sized = (flags & 8) !== 0;
  const more = await need(cursor, (sized ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0));
  const described = Buffer.concat([start.subarray(4), more]);
  const check = (await need(cursor, 1))[0];
  if (((xxHash32(described) >>> 8) & 0xff) !== check) {
    throw new BrokenCompression("the checksum of its header does not match");
  }
  return {
    linked: (flags & 0x20) === 0,
    blockSums: (flags & 0x10) !== 0,
    contentSum: (flags & 4) !== 0,
    contentBytes: sized ? Number(more.readBigUInt64LE(0)) : undefined,
    blockSize,
  };
}

async function holdSum(cursor: ByteCursor, sum: number, what: string): Promise<void> {
  const written = (await need(cursor, 4)).readUInt32LE(0);
  if (written !== sum) throw new BrokenCompression(`the checksum ${what} does not match`);
}

async function need(cursor: ByteCursor, bytes: number): Promise<Buffer> {
  const taken = await cursor.take(bytes);
  if (taken.length < bytes) throw new BrokenCompression("unexpected end of file");
  return Buffer.from(taken);
}

/** Unpacks a block; `partial` gets what there is, also where the block is cut. */
function unpack(packed: Buffer, before: Buffer, most: number, partial: Buffer[] = []): Buffer {
  const out = Buffer.allocUnsafe(before.length + most);
  before.copy(out);
  const writer = new BlockWriter(packed, out, before.length);
  try {
    writer.run();
  } finally {
    partial.push(out.subarray(before.length, writer.to));
  }
  return out.subarray(before.length, writer.to);
}

class BlockWriter {
  readonly #in: Buffer;
  readonly #out: Buffer;
  #from = 0;
  to: number;

  constructor(packed: Buffer, out: Buffer, to: number) {
    this.#in = packed;
    this.#out = out;
    this.to = to;
  }

  run(): void {
    for (;;) {
      const token = this.#byte();
      this.#literals(this.#length(token >> 4));
      if (this.#from === this.#in.length) return;
      const back = this.#byte() | (this.#byte() << 8);
      this.#match(back, this.#length(token & 15) + 4);
    }
  }

  #literals(length: number): void {
    const end = this.#from + length;
    if (end > this.#in.length || this.to + length > this.#out.length) throw broken();
    this.#in.copy(this.#out, this.to, this.#from, end);
    this.#from = end;
    this.to += length;
  }

  #match(back: number, length: number): void {
    const start = this.to - back;
    const end = this.to + length;
    if (back === 0 || start < 0 || end > this.#out.length) throw broken();
    if (back >= length) {
      this.#out.copyWithin(this.to, start, start + length);
    } else {
      for (let at = this.to; at < end; at++) this.#out[at] = this.#out[at - back] ?? 0;
    }
    this.to = end;
  }

  #length(nibble: number): number {
    let length = nibble;
    if (nibble !== 15) return length;
    for (;;) {
      const more = this.#byte();
      length += more;
      if (more !== 255) return length;
    }
  }

  #byte(): number {
    const byte = this.#in[this.#from++];
    if (byte === undefined) throw broken();
    return byte;
  }
}

function broken(): BrokenCompression {
  return new BrokenCompression("a block is broken");
}
