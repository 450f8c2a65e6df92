import { quoteQualified } from "../postgres/index.ts";
import type { Parts, TableContent } from "./fingerprint.ts";
import { countOf, type Division, partOf } from "./parts.ts";
import { rowHash } from "./row-hash.ts";
import { queryWithoutLocks, type Reader } from "./sessions.ts";
import type { ListedTable } from "./table-list.ts";

/** A table to be read, and how its rows are divided. */
export interface Reading {
  readonly table: ListedTable;
  readonly division: Division;
}

/** Pages of a table, or several small tables: what one statement reads. */
export interface Piece {
  readonly readings: readonly Reading[];
  /** The pages, the last excluded; whole tables when left out. */
  readonly pages?: { readonly from: number; readonly to: number | undefined };
  readonly bytes: number;
}

/** Tables below it are read together. */
const SMALL_BYTES = 1_000_000;
const TOGETHER = 40;
/** No piece is smaller than this, so that starting it is nothing beside reading it. */
const SMALLEST_PIECE = 16_000_000;
/** How many pieces each worker has at least, where there is enough to read. */
const PIECES_EACH = 6;

/**
 * Divides the work, biggest pieces first. Only a table that one worker alone would be busy with while
 * others wait is divided by its pages: a server reads a whole big table through a small ring of
 * buffers, but pages by their numbers through its cache.
 */
export function piecesOf(readings: readonly Reading[], parallel: number): readonly Piece[] {
  const total = readings.reduce((sum, { table }) => sum + table.bytes, 0);
  const share = Math.max(SMALLEST_PIECE, total / (parallel * PIECES_EACH));
  const small = readings.filter(({ table }) => table.bytes < SMALL_BYTES);
  const pieces: Piece[] = [];
  for (let from = 0; from < small.length; from += TOGETHER) {
    const some = small.slice(from, from + TOGETHER);
    pieces.push({ readings: some, bytes: some.reduce((sum, { table }) => sum + table.bytes, 0) });
  }
  for (const reading of readings) {
    const { bytes, pages } = reading.table;
    if (bytes < SMALL_BYTES) continue;
    const whole = parallel === 1 || reading.table.condition !== null;
    const count = whole ? 1 : Math.min(pages, Math.ceil(bytes / share));
    for (let i = 0; i < Math.max(1, count); i += 1) {
      const at = (part: number) => Math.floor((pages * part) / count);
      const to = i === count - 1 ? undefined : at(i + 1);
      pieces.push({
        readings: [reading],
        bytes: bytes / Math.max(1, count),
        ...(count > 1 ? { pages: { from: at(i), to } } : {}),
      });
    }
  }
  return pieces.sort((a, b) => b.bytes - a.bytes);
}

interface Counted {
  readonly t: number;
  readonly part: number;
  /** Digits. */
  readonly n: string;
  readonly h: string;
}

/** Sums up what pieces of tables were found to hold. */
export class Contents {
  readonly #sums = new Map<string, { rows: number[]; hashes: bigint[] }>();

  /** Reads a piece. */
  async read(reader: Reader, piece: Piece): Promise<void> {
    const { readings, pages } = piece;
    const sql = readings
      .map((reading, index) => scanOf(index, reading, pages))
      .join("\nUNION ALL\n");
    for (const { t, part, n, h } of await queryWithoutLocks<Counted>(reader, sql)) {
      const reading = readings[t];
      if (reading === undefined) continue;
      const { rows, hashes } = this.#sumsOf(reading);
      rows[part] = (rows[part] ?? 0) + Number(n);
      hashes[part] = BigInt.asUintN(64, (hashes[part] ?? 0n) + BigInt(h));
    }
  }

  #sumsOf({ table, division }: Reading) {
    const known = this.#sums.get(table.qualified);
    if (known !== undefined) return known;
    const count = countOf(division);
    const fresh = { rows: new Array<number>(count).fill(0), hashes: new Array(count).fill(0n) };
    this.#sums.set(table.qualified, fresh);
    return fresh;
  }

  /** What a table was found to hold, when all of it was read. */
  of(reading: Reading): TableContent {
    const { table, division } = reading;
    const { rows, hashes } = this.#sumsOf(reading);
    const parts: Parts | undefined =
      rows.length === 1
        ? undefined
        : {
            ...(division.by === "key"
              ? { column: division.column, type: division.type, bounds: division.bounds }
              : {}),
            rows,
            hashes: hashes.map(hex),
          };
    return {
      rows: rows.reduce((sum, count) => sum + count, 0),
      bytes: table.bytes,
      hash: hex(
        BigInt.asUintN(
          64,
          hashes.reduce((sum, hash) => sum + hash, 0n),
        ),
      ),
      ...(parts === undefined ? {} : { parts }),
    };
  }
}

/** 64 bits as 16 hexadecimal digits. */
export function hex(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

function scanOf(index: number, { table, division }: Reading, pages: Piece["pages"]): string {
  const hash = `${rowHash(table.columns)} AS h`;
  const some = table.condition === null ? within(pages) : ` ${table.condition}\n`;
  const from = `FROM ONLY ${quoteQualified(table.schema, table.name)}${some}`;
  const sums = `SELECT ${index} AS t, part, count(*)::text AS n, sum(h)::text AS h`;
  if (division.by === "hash") {
    // OFFSET 0 keeps the server from working out each hash twice.
    return `${sums} FROM (SELECT ${partOf(division)} AS part, h FROM (SELECT ${hash} ${from} OFFSET 0) AS hashed) AS rows GROUP BY part`;
  }
  return `${sums} FROM (SELECT ${partOf(division)} AS part, ${hash} ${from}) AS rows GROUP BY part`;
}

function within(pages: Piece["pages"]): string {
  if (pages === undefined) return "";
  const { from, to } = pages;
  const end = to === undefined ? "" : ` AND ctid < '(${to},0)'`;
  return ` WHERE ctid >= '(${from},0)'${end}`;
}
