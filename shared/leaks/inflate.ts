import type { Transform } from "node:stream";
import { createGunzip, createInflateRaw, createZstdDecompress } from "node:zlib";

/** How bytes are packed, as their first few tell. */
export type Packing = "gzip" | "zstd" | "zip" | "xz" | "bzip2" | "none";

/** So many bytes are enough to tell. */
export const MAGIC_LENGTH = 6;

const MAGIC: readonly (readonly [Packing, RegExp])[] = [
  ["gzip", /^1f8b08/],
  // The second is a frame to be skipped, which may come first.
  ["zstd", /^(?:28b52ffd|5.2a4d18)/],
  ["zip", /^504b0304/],
  ["xz", /^fd377a585a00/],
  ["bzip2", /^425a68/],
];

const FIRST_BYTES = new Set([
  0x1f,
  0x28,
  0x42,
  0xfd,
  ...Array.from({ length: 16 }, (_, low) => 0x50 + low),
]);

/** Tells how something is packed from its first bytes. */
export function packingOf(head: Buffer): Packing {
  // Nearly all files are told by their first byte already.
  if (!FIRST_BYTES.has(head[0] ?? 0)) return "none";
  const hex = head.toString("hex", 0, MAGIC_LENGTH);
  return MAGIC.find(([, magic]) => magic.test(hex))?.[0] ?? "none";
}

// Few large pieces are searched faster than many small ones.
const PIECE = 256 * 1_024;
const SMALL_PIECE = 64 * 1_024;

/** What unpacks one stream of gzip, one or more frames of zstd, or the data of a zip's member. */
export function unpacker(packing: "gzip" | "zstd" | "zip"): Unpacker {
  if (packing === "gzip") return createGunzip({ chunkSize: PIECE });
  if (packing === "zstd") return createZstdDecompress({ chunkSize: PIECE });
  return createInflateRaw({ chunkSize: SMALL_PIECE });
}

/** `bytesWritten` counts the packed bytes that were of use. */
type Unpacker = Transform & { readonly bytesWritten: number };

/**
 * Unpacks what comes in pieces, and hands on what it unpacks to as soon as it is there. It notices
 * by itself where what is packed ends.
 */
export class Inflation {
  ended = false;
  failed = false;
  readonly #stream: Unpacker;
  #settle: () => void = () => {};

  constructor(packing: "gzip" | "zstd" | "zip", onData: (piece: Buffer) => void) {
    const stream = unpacker(packing);
    this.#stream = stream;
    stream.on("data", onData);
    stream.on("end", () => this.#over());
    stream.on("error", () => {
      this.failed = true;
      this.#over();
    });
  }

  #over(): void {
    this.ended = true;
    this.#settle();
  }

  /** Unpacks of the data what belongs to it; gives how much that was. */
  async push(data: Buffer): Promise<number> {
    if (this.ended) return 0;
    const before = this.#stream.bytesWritten;
    await this.#settled((done) => this.#stream.write(data, done));
    // Of what is broken it is not known how much belongs to it.
    if (this.failed) return 0;
    const used = this.#stream.bytesWritten - before;
    // The event comes later than the callback, where there is one.
    if (used < data.length) this.ended = true;
    return used;
  }

  /** Whether all of it could be unpacked. */
  async finish(): Promise<boolean> {
    if (!this.ended) await this.#settled(() => this.#stream.end());
    this.close();
    return !this.failed;
  }

  /** @param reason makes it fail. */
  close(reason?: Error): void {
    this.#stream.destroy(reason);
  }

  /** Node.js calls no one back for data that has something after its end. */
  #settled(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      start(() => resolve());
    });
  }
}

/**
 * Unpacks a stream of zstd as it comes, frame by frame: Node.js leaves out all that follows a frame
 * that ends within a piece.
 *
 * @throws the unpacker's error for what is damaged.
 */
export async function* unpackZstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await pieces.next();
    return done === true ? undefined : value;
  };
  for (let first = await next(); first !== undefined; ) {
    const stream = unpacker("zstd");
    const fed = { bytes: 0, last: first };
    const feeding = feed(stream, fed, next);
    feeding.catch((error: Error) => stream.destroy(error));
    try {
      yield* stream as AsyncIterable<Buffer>;
    } finally {
      stream.destroy();
    }
    await feeding;
    const left = fed.bytes - stream.bytesWritten;
    first = left > 0 ? fed.last.subarray(fed.last.length - left) : await next();
  }
}

async function feed(
  stream: Unpacker,
  fed: { bytes: number; last: Buffer },
  next: () => Promise<Buffer | undefined>,
): Promise<void> {
  let piece: Buffer | undefined = fed.last;
  while (piece !== undefined) {
    fed.last = piece;
    fed.bytes += piece.length;
    const ended = await write(stream, piece);
    if (ended) return;
    piece = await next();
  }
  stream.end();
}

/** Whether the frame ended within the piece. */
function write(stream: Unpacker, piece: Buffer): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const before = stream.bytesWritten;
    const onEnd = () => resolve(true);
    stream.once("end", onEnd);
    stream.write(piece, (error) => {
      stream.off("end", onEnd);
      if (error) reject(error);
      // The event comes later than the callback.
      else resolve(stream.bytesWritten - before < piece.length);
    });
  });
}
