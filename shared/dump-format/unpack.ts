import { crc32 } from "node:zlib";
import type { ByteCursor } from "./byte-cursor.ts";
import type { Detector, FaultList } from "./fault-list.ts";
import { readGzipHeader } from "./gzip-header.ts";
import { BrokenCompression, inflateOne } from "./inflate.ts";
import type { Limits } from "./limits.ts";
import { lz4Frame } from "./lz4.ts";

/** A compression that is read here to its last byte. */
export type Compression = "gzip" | "zstd" | "lz4";

export interface UnpackOptions {
  /** For messages: the file or member. */
  readonly subject: string;
  readonly faults: FaultList;
  readonly limits: Limits;
}

/**
 * Unpacks all members of a compressed file and holds each to its sums; what is wrong becomes a
 * fault, and what could be read up to there is given out.
 */
export async function* unpack(
  cursor: ByteCursor,
  compression: Compression,
  options: UnpackOptions,
): AsyncGenerator<Buffer> {
  const run = new Unpacking(cursor, compression, options);
  yield* run.all();
}

const MAGIC: Readonly<Record<Compression, Buffer>> = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  lz4: Buffer.from([0x04, 0x22, 0x4d, 0x18]),
};

class Unpacking {
  readonly #cursor: ByteCursor;
  readonly #compression: Compression;
  readonly #options: UnpackOptions;
  readonly #start: number;
  #plain = 0;
  #members = 0;
  #unsummed = 0;

  constructor(cursor: ByteCursor, compression: Compression, options: UnpackOptions) {
    this.#cursor = cursor;
    this.#compression = compression;
    this.#options = options;
    this.#start = cursor.position;
  }

  async *all(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = await this.#cursor.peek(4);
      if (next.length === 0) break;
      const magic = MAGIC[this.#compression];
      if (!next.subarray(0, magic.length).equals(magic) && !(await this.#skipped(next))) {
        await this.#trailing(next);
        return;
      }
      if ((await this.#cursor.peek(1)).length === 0) break;
      const member = this.#cursor.position - this.#start;
      this.#members += 1;
      try {
        for await (const piece of this.#member()) {
          this.#plain += piece.length;
          if (this.#isBomb()) return;
          yield piece;
        }
      } catch (cause) {
        if (!(cause instanceof BrokenCompression)) throw cause;
        this.#broken(cause.message, member);
        return;
      }
    }
    if (this.#unsummed > 0) this.#sayUnsummed();
  }

  /** Zstandard and lz4 let frames be skipped that say so: 0x184D2A50 to 0x184D2A5F. */
  async #skipped(next: Buffer): Promise<boolean> {
    if (this.#compression === "gzip" || next.length < 4) return false;
    if ((next.readUInt32LE(0) & 0xfffffff0) >>> 0 !== 0x184d2a50) return false;
    const head = await this.#cursor.take(8);
    let left = head.length < 8 ? 0 : head.readUInt32LE(4);
    while (left > 0) left -= (await this.#cursor.chunk(left))?.length ?? left;
    return true;
  }

  async *#member(): AsyncGenerator<Buffer> {
    if (this.#compression === "lz4") {
      if (((await this.#cursor.peek(5))[4] ?? 0) & 4) this.#unsummed += 0;
      else this.#unsummed += 1;
      yield* lz4Frame(this.#cursor);
    } else if (this.#compression === "zstd") {
      const head = await this.#cursor.peek(5);
      if (((head[4] ?? 0) & 4) === 0) this.#unsummed += 1;
      yield* inflateOne(this.#cursor, "zstd");
    } else {
      yield* this.#gzipMember();
    }
  }

  async *#gzipMember(): AsyncGenerator<Buffer> {
    await readGzipHeader(this.#cursor);
    let sum = 0;
    let bytes = 0;
    for await (const piece of inflateOne(this.#cursor, "deflate")) {
      sum = crc32(piece, sum);
      bytes += piece.length;
      yield piece;
    }
    const trailer = await this.#cursor.take(8);
    if (trailer.length < 8) {
      throw new BrokenCompression("it ends before the checksum that closes it");
    }
    if (trailer.readUInt32LE(0) !== sum >>> 0) {
      this.#fault(
        "checksum",
        "What it unpacks to does not have the checksum that gzip wrote behind it.",
        hex(trailer.readUInt32LE(0)),
        hex(sum >>> 0),
      );
    } else if (trailer.readUInt32LE(4) !== bytes % 2 ** 32) {
      this.#fault(
        "checksum",
        "What it unpacks to does not have the length that gzip wrote behind it.",
        `${trailer.readUInt32LE(4)} bytes (modulo 4 GiB)`,
        `${bytes} bytes`,
      );
    }
  }

  #isBomb(): boolean {
    const { limits, subject, faults } = this.#options;
    const stored = this.#cursor.position - this.#start;
    const tooMuch = this.#plain > limits.plainBytes;
    const tooDense = this.#plain > limits.ratioFrom && this.#plain > limits.ratio * stored;
    if (!tooMuch && !tooDense && this.#members <= limits.members) return false;
    const expected = tooMuch
      ? `at most ${limits.plainBytes} bytes`
      : tooDense
        ? `at most ${limits.ratio} times its size`
        : `at most ${limits.members} members`;
    faults.add({
      detector: "bomb",
      weight: "doubt",
      subject,
      what: `It unpacks to far more than a dump of its size holds; reading stopped after ${this.#plain} bytes from ${stored}.`,
      expected,
      found: `${this.#plain} bytes from ${stored} in ${this.#members} members`,
    });
    return true;
  }

  async #trailing(next: Buffer): Promise<void> {
    const at = this.#cursor.position - this.#start;
    const begins = next.toString("hex");
    let bytes = 0;
    let zeros = true;
    for await (const chunk of this.#cursor.rest()) {
      bytes += chunk.length;
      zeros &&= chunk.every((byte) => byte === 0);
    }
    this.#options.faults.add({
      detector: "compression",
      weight: zeros ? "note" : "damage",
      subject: this.#options.subject,
      what: zeros
        ? `It is followed by ${bytes} zero bytes, which tapes and block devices add.`
        : `Behind the end of its ${this.#compression} data at offset ${at} there are ${bytes} bytes that are none.`,
      expected: "the end of the file",
      found: `${bytes} bytes that begin with ${begins}`,
    });
  }

  #broken(message: string, member: number): void {
    const at = this.#cursor.position - this.#start;
    const cut = /unexpected end of file|ends before/.test(message);
    this.#fault(
      "compression",
      cut
        ? `It is cut short: its ${this.#compression} data ends at offset ${at} in the middle, after ${this.#plain} unpacked bytes.`
        : `Its ${this.#compression} data is broken near offset ${at}, after ${this.#plain} unpacked bytes: ${message}.`,
      cut ? "the end of the compressed data" : undefined,
      this.#members > 1 ? `member ${this.#members}, which begins at offset ${member}` : undefined,
    );
  }

  #sayUnsummed(): void {
    this.#options.faults.add({
      detector: "checksum",
      weight: "note",
      subject: this.#options.subject,
      what: `Its ${this.#compression} data was written without a checksum: a flipped bit inside of it can go unnoticed at this tier.`,
    });
  }

  #fault(detector: Detector, what: string, expected?: string, found?: string): void {
    const { subject, faults } = this.#options;
    faults.add({ detector, weight: "damage", subject, what, expected, found });
  }
}

function hex(sum: number): string {
  return sum.toString(16).padStart(8, "0");
}
