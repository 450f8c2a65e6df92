import { crc32c } from "./crc32c.ts";
import type { Lsn } from "./segment.ts";

/** A record's own header: length, transaction, record before, kind, checksum. */
export const RECORD_HEADER_BYTES = 24;
/** A record's main data begins within so many bytes, for the kinds that are read here. */
const KEPT_BYTES = 1_024;
const CRC_AT = 20;

/** What a record of WAL says that matters to recovery. */
export interface WalRecord {
  readonly start: Lsn;
  /** Where the next one may begin. */
  readonly end: Lsn;
  readonly previous: Lsn;
  readonly transaction: number;
  readonly kind: RecordKind;
}

export type RecordKind =
  | { readonly of: "commit" | "abort" /** Microseconds since 2000. */; readonly time: number }
  | { readonly of: "backup-end"; readonly start: Lsn }
  | { readonly of: "switch" }
  | { readonly of: "other" };

/** Puts a record together as its pages come. Only its beginning is kept. */
export class RecordAssembly {
  readonly start: Lsn;
  readonly bytes: number;
  readonly #head: Buffer;
  #got = 0;
  #sum = 0;

  constructor(start: Lsn, bytes: number) {
    this.start = start;
    this.bytes = bytes;
    this.#head = Buffer.alloc(Math.min(bytes, KEPT_BYTES));
  }

  get left(): number {
    return this.bytes - this.#got;
  }

  /** Takes as much as belongs to it; gives how much that was. */
  take(bytes: Buffer): number {
    const own = bytes.subarray(0, this.left);
    own.copy(this.#head, Math.min(this.#got, this.#head.length));
    const body = own.subarray(Math.max(0, RECORD_HEADER_BYTES - this.#got));
    this.#sum = crc32c(body, this.#sum);
    this.#got += own.length;
    return own.length;
  }

  /** Whether its checksum holds: of its body, then of its header up to the checksum itself. */
  get isWhole(): boolean {
    return (
      crc32c(this.#head.subarray(0, CRC_AT), this.#sum) === this.#head.readUInt32LE(CRC_AT) &&
      this.left === 0
    );
  }

  record(end: Lsn): WalRecord {
    const head = this.#head;
    return {
      ...{ start: this.start, end },
      previous: Number(head.readBigUInt64LE(8)),
      transaction: head.readUInt32LE(4),
      kind: kindOf(head),
    };
  }
}

const XLOG = 0;
const XACT = 1;
/** By the operation's bits. Source: src/include/access/xact.h. */
const ENDINGS: Readonly<Record<number, "commit" | "abort">> = {
  0: "commit",
  32: "abort",
  48: "commit",
  64: "abort",
};

function kindOf(head: Buffer): RecordKind {
  const info = head[16] ?? 0;
  const manager = head[17] ?? 0;
  if (manager === XLOG && (info & 0xf0) === 0x40) return { of: "switch" };
  const ending = manager === XACT ? ENDINGS[info & 0x70] : undefined;
  const isBackupEnd = manager === XLOG && (info & 0xf0) === 0x50;
  if (ending === undefined && !isBackupEnd) return { of: "other" };
  const data = mainDataOf(head);
  if (data === undefined || data.length < 8) return { of: "other" };
  if (ending !== undefined) return { of: ending, time: Number(data.readBigInt64LE(0)) };
  return { of: "backup-end", start: Number(data.readBigUInt64LE(0)) };
}

/** What comes behind the headers of a record without blocks. Source: access/xlogrecord.h. */
function mainDataOf(head: Buffer): Buffer | undefined {
  let at = RECORD_HEADER_BYTES;
  for (;;) {
    const id = head[at];
    if (id === 253) at += 3;
    else if (id === 252) at += 5;
    else if (id === 255) return head.subarray(at + 2);
    else if (id === 254) return head.subarray(at + 5);
    else return undefined;
  }
}
