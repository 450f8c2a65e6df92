import { type Lsn, lsnText } from "./segment.ts";
import { readWalPage, type WalPage } from "./wal-page.ts";
import { RECORD_HEADER_BYTES, RecordAssembly, type WalRecord } from "./wal-record.ts";

/** Where WAL cannot be read on, and why. */
export class WalEnd extends Error {
  override readonly name = "WalEnd";
  readonly at: Lsn;
  /** Whether it looks like the place up to which it was written, and not like damage. */
  readonly open: boolean;

  /** @param message a phrase that goes after "at 0/2000028, ". */
  constructor(at: Lsn, message: string, open: boolean) {
    super(message);
    this.at = at;
    this.open = open;
  }
}

const MOST_RECORD_BYTES = 1_020 * 1_024 * 1_024;
const DEFAULT_PAGE = 8_192;

/** What every page has to have in common. */
export interface WalFacts {
  readonly major: number;
  readonly system: string;
  readonly segmentBytes: number;
  readonly pageBytes: number;
}

/**
 * Reads records from one position on, segment by segment, and holds everything to its checksum and
 * to the record before it.
 *
 * Source: src/backend/access/transam/xlogreader.c.
 */
export class WalReader {
  readonly #start: Lsn;
  readonly #facts: WalFacts;
  #timelines: ReadonlySet<number> = new Set();
  #address: Lsn = 0;
  #pending: RecordAssembly | undefined;
  #previous: Lsn | undefined;
  #skipTo: Lsn = 0;
  /** Where the last whole record ended. */
  end: Lsn;
  records = 0;

  constructor(start: Lsn, facts: WalFacts) {
    this.#start = start;
    this.#facts = facts;
    this.end = start;
  }

  /**
   * @param from where the segment begins.
   * @param timelines those that its pages may be of.
   * @throws {WalEnd} where it does not go on.
   */
  async *segment(
    content: AsyncIterable<Buffer>,
    from: Lsn,
    timelines: ReadonlySet<number>,
  ): AsyncGenerator<WalRecord> {
    this.#address = from;
    this.#timelines = timelines;
    const { segmentBytes, pageBytes } = this.#facts;
    let left: Buffer = Buffer.alloc(0);
    for await (const chunk of content) {
      let bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
      for (; bytes.length >= pageBytes; bytes = bytes.subarray(pageBytes)) {
        if (this.#address >= from + segmentBytes) throw this.#wrongSize("more");
        yield* this.#page(bytes.subarray(0, pageBytes));
        this.#address += pageBytes;
      }
      left = bytes;
    }
    if (this.#address !== from + segmentBytes || left.length > 0) throw this.#wrongSize("fewer");
  }

  #wrongSize(word: string): WalEnd {
    const { segmentBytes } = this.#facts;
    const which = lsnText(this.#address);
    return new WalEnd(
      Math.min(this.#address, this.#pending?.start ?? this.#address),
      `the segment has ${word} than its ${segmentBytes} bytes (it was read up to ${which})`,
      false,
    );
  }

  *#page(page: Buffer): Generator<WalRecord> {
    const address = this.#address;
    if (address + page.length <= this.#skipTo) return;
    const header = this.#header(page);
    if (address + page.length <= this.#start) return;
    let at = header.headerBytes;
    if (this.#pending !== undefined) {
      const taken = this.#continued(this.#pending, header, page);
      if (taken > 0) {
        at = aligned(at + taken);
        if (this.#pending.left > 0) return;
        yield this.#finished(this.#pending, address + at);
      }
      this.#pending = undefined;
    } else if (header.continues !== undefined && address + at >= this.#start) {
      at = aligned(at + header.continues);
    }
    at = Math.max(at, this.#start - address);
    while (at < page.length && address + at >= this.#skipTo) {
      const record = this.#begun(page, at);
      at += aligned(Math.min(page.length - at, record.bytes));
      if (record.left > 0) {
        this.#pending = record;
        return;
      }
      yield this.#finished(record, address + at);
    }
  }

  #header(page: Buffer): WalPage {
    const address = this.#address;
    const end = this.#pending?.start ?? address;
    const header = readWalPage(page);
    if (header === undefined) {
      const zero = page.every((byte) => byte === 0);
      throw new WalEnd(
        end,
        zero
          ? `the page at ${lsnText(address)} is empty`
          : `the page at ${lsnText(address)} has no header of WAL`,
        zero,
      );
    }
    const wrong = this.#problem(header);
    // Segments are used again: behind the end there are pages of an older place.
    if (wrong !== undefined) throw new WalEnd(end, wrong, header.address < address);
    return header;
  }

  #problem({ address, major, timeline, segment }: WalPage): string | undefined {
    const { system, segmentBytes, pageBytes } = this.#facts;
    const here = `the page at ${lsnText(this.#address)}`;
    if (address !== this.#address) return `${here} says that it is at ${lsnText(address)}`;
    if (major !== this.#facts.major)
      return `${here} is of PostgreSQL ${major} and not ${this.#facts.major}`;
    if (!this.#timelines.has(timeline)) return `${here} is of timeline ${timeline}`;
    if (this.#address % segmentBytes !== 0) return undefined;
    if (segment === undefined) return `${here} begins a segment and lacks the header of one`;
    if (segment.system !== system)
      return `${here} is of the database system ${segment.system} and not ${system}`;
    if (segment.bytes !== segmentBytes || segment.pageBytes !== pageBytes)
      return `${here} is of segments of ${segment.bytes} bytes in pages of ${segment.pageBytes}`;
    return undefined;
  }

  /** The rest of a record that an earlier page began; 0 where it was given up by its server. */
  #continued(record: RecordAssembly, header: WalPage, page: Buffer): number {
    if (header.overwrites) return 0;
    if (header.continues !== record.left) {
      throw new WalEnd(
        record.start,
        `the record is not continued on the page at ${lsnText(this.#address)}`,
        false,
      );
    }
    return record.take(page.subarray(header.headerBytes));
  }

  #begun(page: Buffer, at: number): RecordAssembly {
    const start = this.#address + at;
    const bytes = page.readUInt32LE(at);
    if (bytes === 0) throw new WalEnd(start, "there is no record", true);
    if (bytes < RECORD_HEADER_BYTES || bytes > MOST_RECORD_BYTES) {
      throw new WalEnd(start, `the record is said to have ${bytes} bytes`, false);
    }
    const record = new RecordAssembly(start, bytes);
    record.take(page.subarray(at));
    return record;
  }

  #finished(assembly: RecordAssembly, end: Lsn): WalRecord {
    if (!assembly.isWhole) {
      throw new WalEnd(
        assembly.start,
        "the record does not have the checksum that was written with it",
        false,
      );
    }
    const record = assembly.record(end);
    if (this.#previous !== undefined && record.previous !== this.#previous) {
      throw new WalEnd(
        record.start,
        `the record says that it follows ${lsnText(record.previous)}, and it follows ${lsnText(this.#previous)}`,
        false,
      );
    }
    this.#previous = record.start;
    this.end = record.end;
    this.records += 1;
    if (record.kind.of === "switch") {
      const { segmentBytes } = this.#facts;
      this.#skipTo = Math.ceil(record.end / segmentBytes) * segmentBytes;
      this.end = this.#skipTo;
    }
    return record;
  }

  /** The record that the last page began and did not end. */
  get unfinished(): Lsn | undefined {
    return this.#pending?.start;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** What the first page of a segment says; undefined where it is none. */
export function factsIn(head: Buffer): WalFacts | undefined {
  const page = readWalPage(head);
  if (page?.segment === undefined) return undefined;
  const { system, bytes: segmentBytes, pageBytes } = page.segment;
  const sane = Number.isInteger(Math.log2(segmentBytes)) && segmentBytes >= 2 ** 20;
  if (!sane || pageBytes < 1_024 || pageBytes > 65_536) return undefined;
  return { major: page.major, system, segmentBytes, pageBytes };
}

/** So many bytes of a segment are enough for `factsIn`. */
export const SEGMENT_HEAD_BYTES = DEFAULT_PAGE;
