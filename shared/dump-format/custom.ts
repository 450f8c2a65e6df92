import type { Archive, TocEntry } from "./archive.ts";
import { isUtf8Archive, rowsIn } from "./archive-facts.ts";
import { ArchiveReader, BrokenArchive, intIn } from "./archive-reader.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { Recognised } from "./format.ts";
import { BrokenCompression, inflateOne } from "./inflate.ts";
import { LargeObjects } from "./large-objects.ts";
import { lz4Frame } from "./lz4.ts";
import { nothingRead, type Read, type Reading } from "./reading.ts";
import { TableData } from "./table-data.ts";
import { readArchive } from "./toc.ts";
import { judgeArchive, subjectOf } from "./toc-verdict.ts";

const DATA = 1;
const LARGE_OBJECTS = 3;

/** Reads a custom-format dump: its table of contents, and every block of data behind it. */
export async function readCustom(
  cursor: ByteCursor,
  recognised: Recognised,
  name: string,
  reading: Reading,
): Promise<Read> {
  const run = new CustomRun(cursor, name, reading);
  const archive = await run.tableOfContents();
  const nothing = { ...nothingRead(recognised), archive };
  if (archive === undefined) return { ...nothing, plainBytes: cursor.position };
  judgeArchive(archive, name, reading.faults);
  const whole = await run.blocks(archive);
  run.missing(archive, whole);
  return {
    ...nothing,
    server: archive.server,
    dumper: archive.dumper,
    rows: rowsIn(archive, run.rows),
    countsRows: !reading.skim,
    plainBytes: run.plainBytes,
    unknown:
      archive.compression === "none"
        ? [
            "The dump is not compressed, so its rows have no checksum: a value that was changed into another of the same form cannot be seen without restoring it.",
          ]
        : [],
  };
}

class CustomRun {
  readonly #cursor: ByteCursor;
  readonly #reader: ArchiveReader;
  readonly #name: string;
  readonly #reading: Reading;
  readonly #objects: LargeObjects;
  readonly #seen = new Set<number>();
  readonly rows = new Map<number, number>();
  plainBytes = 0;

  constructor(cursor: ByteCursor, name: string, reading: Reading) {
    this.#cursor = cursor;
    this.#reader = new ArchiveReader(cursor);
    this.#name = name;
    this.#reading = reading;
    this.#objects = new LargeObjects(name, reading.faults);
  }

  async tableOfContents(): Promise<Archive | undefined> {
    try {
      const archive = await readArchive(this.#reader, this.#reading.limits.members);
      if (archive.format === "custom") return archive;
      this.#damage(
        "format",
        `It says that it is the table of contents of a ${archive.format} dump, whose other files are missing.`,
      );
      return undefined;
    } catch (cause) {
      if (!(cause instanceof BrokenArchive)) throw cause;
      this.#damage(
        "toc",
        cause.cut
          ? `It is cut short at offset ${cause.offset}, inside of its table of contents.`
          : `Its table of contents is broken at offset ${cause.offset}: ${cause.message}.`,
      );
      return undefined;
    }
  }

  /** Every block, in the order of the file; whether it came to the file's end. */
  async blocks(archive: Archive): Promise<boolean> {
    const entries = new Map(archive.entries.map((entry) => [entry.id, entry]));
    for (;;) {
      this.#reading.signal.throwIfAborted();
      const at = this.#cursor.position;
      const next = await this.#cursor.peek(1);
      if (next.length === 0) return true;
      try {
        if (!(await this.#block(archive, entries, at))) return false;
      } catch (cause) {
        this.#brokenBlock(cause, at);
        return false;
      }
    }
  }

  async #block(archive: Archive, entries: Map<number, TocEntry>, at: number): Promise<boolean> {
    const type = await this.#reader.byte();
    const id = type === DATA || type === LARGE_OBJECTS ? await this.#reader.int() : 0;
    const entry = entries.get(id);
    if (entry === undefined) {
      const what =
        type === DATA || type === LARGE_OBJECTS
          ? `a block of entry ${id}, which its table of contents does not have`
          : `a block of the type ${type}, which does not exist`;
      this.#damage(
        "toc",
        `At offset ${at}, behind ${this.#seen.size} blocks, is ${what}: there is something else, or trailing garbage.`,
      );
      return false;
    }
    this.#place(entry, at);
    this.#seen.add(id);
    try {
      if (type === DATA) await this.#tableData(archive, entry);
      else await this.#largeObjects(archive, entry);
    } catch (cause) {
      // Where the chunks are whole, the next block is found behind what does not unpack.
      if (!(cause instanceof BrokenCompression) || type !== DATA) throw cause;
      this.#brokenBlock(cause, at);
    }
    return true;
  }

  #place(entry: TocEntry, at: number): void {
    if (this.#seen.has(entry.id)) {
      this.#damage("toc", `At offset ${at} is a second block of ${subjectOf(entry)}.`);
    }
    if (!entry.hasData) {
      this.#damage("toc", `At offset ${at} is a block of ${subjectOf(entry)}, which has no data.`);
    }
    if (entry.offset !== undefined && entry.offset !== at) {
      this.#damage(
        "toc",
        `The data of ${subjectOf(entry)} is not where the table of contents says.`,
        `offset ${entry.offset}`,
        `offset ${at}`,
      );
    }
  }

  async #tableData(archive: Archive, entry: TocEntry): Promise<void> {
    const utf8 = isUtf8Archive(archive);
    const data = new TableData(entry, this.#name, this.#reading.faults, utf8);
    // INSERT statements are programs, which are looked at before anything runs.
    if (this.#reading.skim && entry.copyStatement !== "") {
      if ((await this.#skip()) === 0) data.end(true);
      return;
    }
    let whole = false;
    try {
      for await (const piece of this.#content(archive, `table ${entry.schema}.${entry.name}`)) {
        this.plainBytes += piece.length;
        data.push(piece);
      }
      whole = true;
    } finally {
      data.end(whole);
      this.rows.set(entry.id, data.rows);
    }
  }

  async #largeObjects(archive: Archive, entry: TocEntry): Promise<void> {
    for (;;) {
      const signed = await this.#reader.int();
      if (signed === 0) return;
      // OIDs are written as signed numbers, and are none.
      const oid = signed < 0 ? signed + 2 ** 32 : signed;
      this.#objects.found(oid, entry);
      if (this.#reading.skim) {
        await this.#skip();
        continue;
      }
      for await (const piece of this.#content(archive, `large object ${oid}`)) {
        this.plainBytes += piece.length;
      }
    }
  }

  /** The data of one block, unpacked. Nothing but the block is read, however broken it is. */
  async *#content(archive: Archive, subject: string): AsyncGenerator<Buffer> {
    const chunks = this.#chunks();
    if (archive.compression === "none") {
      yield* chunks;
      return;
    }
    const inner = new ByteCursor(chunks);
    const start = this.#cursor.position;
    try {
      yield* this.#limited(unpacked(inner, archive.compression), start, subject);
      if ((await inner.peek(1)).length > 0) {
        throw new BrokenCompression("there is more behind the end of its compressed data");
      }
    } catch (cause) {
      for await (const _ of inner.rest());
      throw cause;
    } finally {
      await inner.close();
    }
  }

  async *#limited(
    pieces: AsyncIterable<Buffer>,
    start: number,
    subject: string,
  ): AsyncGenerator<Buffer> {
    const { limits } = this.#reading;
    let plain = 0;
    for await (const piece of pieces) {
      plain += piece.length;
      const stored = this.#cursor.position - start;
      if (
        plain > limits.plainBytes ||
        (plain > limits.ratioFrom && plain > limits.ratio * stored)
      ) {
        this.#reading.faults.add({
          detector: "bomb",
          weight: "doubt",
          subject,
          what: `It unpacks to far more than a dump of its size holds; reading stopped after ${plain} bytes from ${stored}.`,
          expected: `at most ${limits.ratio} times its size`,
          found: `${plain} bytes from ${stored}`,
        });
        throw new BrokenCompression("it unpacks to far too much");
      }
      yield piece;
    }
  }

  /** The chunks of a block, gathered into larger pieces: there can be one for each row. */
  async *#chunks(): AsyncGenerator<Buffer> {
    const size = 1 + this.#reader.intSize;
    for (;;) {
      const at = this.#cursor.position;
      const head = await this.#reader.bytes(size);
      let length = lengthIn(head, 0, size, at);
      if (length === 0) return;
      while (length > 0) {
        const piece = await this.#cursor.chunk(length + GATHERED);
        if (piece === undefined)
          throw new BrokenArchive("the file ends", this.#cursor.position, true);
        if (piece.length <= length) {
          length -= piece.length;
          yield piece;
          continue;
        }
        const gathered = gather(piece, length, size, this.#cursor.position - piece.length);
        this.#cursor.unread(piece.subarray(gathered.used));
        yield gathered.bytes;
        length = 0;
        if (gathered.ended) return;
      }
    }
  }

  /** Goes past a block from chunk to chunk, and gives the bytes that they hold. */
  async #skip(): Promise<number> {
    const size = 1 + this.#reader.intSize;
    let sum = 0;
    for (;;) {
      const at = this.#cursor.position;
      let left = lengthIn(await this.#reader.bytes(size), 0, size, at);
      if (left === 0) return sum;
      sum += left;
      while (left > 0) {
        const piece = await this.#cursor.chunk();
        if (piece === undefined) {
          throw new BrokenArchive("the file ends", this.#cursor.position, true);
        }
        const passed = pass(piece, left, size, this.#cursor.position - piece.length);
        sum += passed.bytes;
        left = passed.left;
        this.#cursor.unread(piece.subarray(passed.used));
        if (passed.ended) return sum;
      }
    }
  }

  #brokenBlock(cause: unknown, start: number): void {
    if (cause instanceof BrokenArchive) {
      this.#damage(
        cause.cut ? "end-marker" : "toc",
        cause.cut
          ? `It is cut short at offset ${cause.offset}, inside of the block of data that begins at offset ${start}.`
          : `The block of data that begins at offset ${start} is broken at offset ${cause.offset}: ${cause.message}.`,
      );
    } else if (cause instanceof BrokenCompression) {
      const sum = /incorrect data check|checksum/.test(cause.message);
      this.#damage(
        sum ? "checksum" : "compression",
        `The data of the block that begins at offset ${start} does not unpack: ${cause.message}.`,
      );
    } else throw cause;
  }

  /** What the table of contents lists and the file does not have. */
  missing(archive: Archive, whole: boolean): void {
    const lost = archive.entries.filter((entry) => entry.hasData && !this.#seen.has(entry.id));
    for (const entry of lost) {
      this.#damage(
        "toc",
        whole
          ? `The data of ${subjectOf(entry)} is missing: the file ends at offset ${this.#cursor.position} without it.`
          : `The data of ${subjectOf(entry)} could not be reached behind the damage.`,
      );
    }
    if (whole && lost.length === 0) this.#objects.judge(archive);
  }

  #damage(
    detector: "toc" | "format" | "end-marker" | "compression" | "checksum",
    what: string,
    expected?: string,
    found?: string,
  ): void {
    const subject = this.#name;
    this.#reading.faults.add({ detector, weight: "damage", subject, what, expected, found });
  }
}

const GATHERED = 65_536;

/** Takes chunk after chunk out of bytes that are already here, without waiting between them. */
function gather(
  piece: Buffer,
  first: number,
  size: number,
  offset: number,
): { bytes: Buffer; used: number; ended: boolean } {
  const parts = [piece.subarray(0, first)];
  let used = first;
  while (used + size <= piece.length) {
    const length = lengthIn(piece, used, size, offset + used);
    if (length === 0) return { bytes: Buffer.concat(parts), used: used + size, ended: true };
    if (used + size + length > piece.length) break;
    parts.push(piece.subarray(used + size, used + size + length));
    used += size + length;
  }
  return {
    bytes: parts.length === 1 ? (parts[0] ?? piece) : Buffer.concat(parts),
    used,
    ended: false,
  };
}

interface Passed {
  /** Of chunks that begin in the piece. */
  readonly bytes: number;
  readonly used: number;
  /** What is still to come of the last chunk. */
  readonly left: number;
  readonly ended: boolean;
}

/** Goes from chunk to chunk in a piece, whose first bytes are those of a chunk that has begun. */
function pass(piece: Buffer, begun: number, size: number, offset: number): Passed {
  let bytes = 0;
  let used = begun;
  while (used + size <= piece.length) {
    const length = lengthIn(piece, used, size, offset + used);
    used += size + length;
    if (length === 0) return { bytes, used, left: 0, ended: true };
    bytes += length;
  }
  const end = Math.min(used, piece.length);
  return { bytes, used: end, left: used - end, ended: false };
}

function lengthIn(bytes: Buffer, at: number, size: number, offset: number): number {
  const length = intIn(bytes, at, size - 1, offset);
  if (length < 0) throw new BrokenArchive(`a chunk has the length ${length}`, offset);
  return length;
}

function unpacked(cursor: ByteCursor, compression: "gzip" | "lz4" | "zstd"): AsyncIterable<Buffer> {
  if (compression === "lz4") return lz4Frame(cursor);
  return inflateOne(cursor, compression === "gzip" ? "zlib" : "zstd");
}
