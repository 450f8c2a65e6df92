import { quoteIdentifier, quoteLiteral, quoteQualified } from "../postgres/index.ts";
import type { Parts } from "./fingerprint.ts";
import { queryWithoutLocks, type Reader } from "./sessions.ts";
import type { KeyColumn, ListedTable } from "./table-list.ts";

/** How the rows of a table are divided. */
export type Division =
  | {
      readonly by: "key";
      readonly column: string;
      readonly type: string;
      readonly bounds: readonly string[];
    }
  | { readonly by: "hash"; readonly parts: number }
  | { readonly by: "nothing" };

/** Enough that a part of a big table is a small share of it, few enough to be kept for thousands. */
const MOST_PARTS = 64;
const SAMPLED_PAGES = 100;
/** How many tables are sampled by one statement. */
const TOGETHER = 50;

/** As many parts as are worth their place in the fingerprint. */
function partsOf(pages: number): number {
  if (pages <= 1) return 4;
  return pages <= 4 ? 8 : pages <= 64 ? 16 : MOST_PARTS;
}

/** The division that a fingerprint was made with, for another that is to be compared with it. */
export function divisionOf(parts: Parts | undefined): Division {
  if (parts === undefined) return { by: "nothing" };
  const { column, type, bounds = [] } = parts;
  if (column === undefined || type === undefined) return { by: "hash", parts: parts.rows.length };
  return { by: "key", column, type, bounds };
}

/**
 * Divides each table's rows by ranges of its key, with bounds taken from a sample of its pages, so
 * that parts hold about as many rows each; tables without a key by their hash.
 */
export async function divide(
  reader: Reader,
  tables: readonly ListedTable[],
): Promise<ReadonlyMap<string, Division>> {
  const divisions = new Map<string, Division>();
  const keyed: { table: ListedTable; key: KeyColumn }[] = [];
  for (const table of tables) {
    if (table.pages === 0) divisions.set(table.qualified, { by: "nothing" });
    else if (table.key === null) {
      divisions.set(table.qualified, { by: "hash", parts: Math.min(16, partsOf(table.pages)) });
    } else keyed.push({ table, key: table.key });
  }
  for (let from = 0; from < keyed.length; from += TOGETHER) {
    const some = keyed.slice(from, from + TOGETHER);
    const found = await queryWithoutLocks<{ i: number; bounds: readonly string[] | null }>(
      reader,
      some.map(({ table, key }, i) => sampleOf(i, table, key)).join("\nUNION ALL\n"),
    );
    for (const { i, bounds } of found) {
      const { table, key } = some[i] ?? {};
      if (table === undefined || key === undefined) continue;
      const distinct = (bounds ?? [])
        .filter((bound, at, all) => bound !== all[at - 1])
        // Bytes of SQL_ASCII that are no UTF-8 cannot be said again.
        .filter((bound) => !bound.includes("\ufffd"));
      divisions.set(table.qualified, {
        by: "key",
        column: key.name,
        type: key.type,
        bounds: distinct,
      });
    }
  }
  return divisions;
}

function sampleOf(index: number, table: ListedTable, key: KeyColumn): string {
  const share = Math.min(100, Math.max(0.001, (100 * SAMPLED_PAGES) / table.pages));
  const parts = partsOf(table.pages);
  const fractions = Array.from({ length: parts - 1 }, (_, i) => ((i + 1) / parts).toFixed(6));
  return `SELECT ${index} AS i, (SELECT percentile_disc(ARRAY[${fractions.join(", ")}]::float8[])
    WITHIN GROUP (ORDER BY ${ordered(key)})::text[]
    FROM ONLY ${quoteQualified(table.schema, table.name)} TABLESAMPLE SYSTEM (${share.toFixed(3)}) REPEATABLE (1)) AS bounds`;
}

/** SQL for the number of the part that a row belongs to, counted from 0. */
export function partOf(division: Division): string {
  if (division.by === "nothing") return "0";
  if (division.by === "hash") return `(h & ${division.parts - 1})::int`;
  const { type, bounds } = division;
  if (bounds.length === 0) return "0";
  const array = bounds.map(quoteLiteral).join(", ");
  const kind = isText(type) ? "text" : type;
  return `width_bucket(${ordered({ name: division.column, type })}, ARRAY[${array}]::${kind}[])`;
}

/** How many parts there can be. */
export function countOf(division: Division): number {
  if (division.by === "nothing") return 1;
  return division.by === "hash" ? division.parts : division.bounds.length + 1;
}

// The order of text by its bytes is the same on every machine.
function ordered({ name, type }: KeyColumn): string {
  const value = quoteIdentifier(name);
  return isText(type) ? `${value}::text COLLATE "C"` : `${value}::${type}`;
}

function isText(type: string): boolean {
  return type === "text" || type === "varchar";
}
