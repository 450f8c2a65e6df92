import type { Lsn } from "./segment.ts";

/** The major version by the number that its WAL pages begin with. Source: XLOG_PAGE_MAGIC. */
const MAJORS: Readonly<Record<number, number>> = {
  53517: 14,
  53520: 15,
  53523: 16,
  53526: 17,
  53528: 18,
};

const CONTINUES = 0x0001;
const LONG = 0x0002;
const OVERWRITES = 0x0008;
const SHORT_BYTES = 24;
const LONG_BYTES = 40;

/** The header of a page of WAL. Source: src/include/access/xlog_internal.h. */
export interface WalPage {
  readonly major: number;
  readonly timeline: number;
  readonly address: Lsn;
  /** How many bytes of a record from the page before are still to come, where there are any. */
  readonly continues: number | undefined;
  /** Whether the record that the page before began will never be finished. */
  readonly overwrites: boolean;
  readonly headerBytes: number;
  /** Of the first page of a segment. */
  readonly segment: SegmentFacts | undefined;
}

export interface SegmentFacts {
  /** A 64-bit number. */
  readonly system: string;
  readonly bytes: number;
  readonly pageBytes: number;
}

/** Reads a page's header; undefined where it is none that is known. */
export function readWalPage(page: Buffer): WalPage | undefined {
  if (page.length < LONG_BYTES) return undefined;
  const major = MAJORS[page.readUInt16LE(0)];
  const info = page.readUInt16LE(2);
  if (major === undefined || (info & ~0x000f) !== 0) return undefined;
  const long = (info & LONG) !== 0;
  return {
    major,
    timeline: page.readUInt32LE(4),
    address: Number(page.readBigUInt64LE(8)),
    continues: (info & CONTINUES) !== 0 ? page.readUInt32LE(16) : undefined,
    overwrites: (info & OVERWRITES) !== 0,
    headerBytes: long ? LONG_BYTES : SHORT_BYTES,
    segment: long
      ? {
          system: page.readBigUInt64LE(24).toString(),
          bytes: page.readUInt32LE(32),
          pageBytes: page.readUInt32LE(36),
        }
      : undefined,
  };
}
