import type { Finding, Item } from "../proof/index.ts";
import { tableNameOf } from "./table-name.ts";

/** The rows of a table by the name that `tableName` gives it. */
export type RowCounts = ReadonlyMap<string, number>;

/** What a fingerprint or a user says of the rows of tables. */
export interface ExpectedRows {
  readonly rows: RowCounts;
  /** Tables whose rows were left out by intent. */
  readonly excluded: ReadonlySet<string>;
}

/** Every table with its rows: expected where that is known, and found in the dump's text. */
export function itemsOf(found: RowCounts, expected: ExpectedRows | undefined): Item[] {
  const names = new Set([...found.keys(), ...(expected?.rows.keys() ?? [])]);
  return [...names].sort().map((name) => ({
    name,
    expected: expected?.excluded.has(name) === true ? undefined : expected?.rows.get(name),
    found: found.get(name),
    same: undefined,
  }));
}

/** Where the rows in a dump are not those that were there when it was taken. */
export function compareRows(found: RowCounts, expected: ExpectedRows): Finding[] {
  const findings: Finding[] = [];
  for (const [name, rows] of expected.rows) {
    if (expected.excluded.has(name)) continue;
    const there = found.get(name);
    if (there === undefined && rows === 0) continue;
    if (there === rows) continue;
    findings.push({
      detector: "rows",
      tier: "integrity",
      weight: "damage",
      subject: `table ${name}`,
      what:
        there === undefined
          ? `The dump holds no rows of it, and ${rows} were there when it was taken.`
          : `The dump holds ${there} rows of it, and ${rows} were there when it was taken.`,
      expected: `${rows} rows`,
      found: there === undefined ? "none" : `${there} rows`,
    });
  }
  return findings;
}

/**
 * Rows under the names that the expectation uses: `public."order"` and `public.order` are the same
 * table, and whether a keyword is quoted depends on who writes it.
 */
export function named(found: RowCounts, expected: ExpectedRows | undefined): RowCounts {
  const names = new Map(
    [...(expected?.rows.keys() ?? []), ...(expected?.excluded ?? [])].map((name) => [
      tableNameOf(name),
      name,
    ]),
  );
  return new Map([...found].map(([name, rows]) => [names.get(name) ?? name, rows]));
}

/** Whether a finding tells of nothing but rows that were left out by intent. */
export function isMeant(finding: Finding, expected: ExpectedRows | undefined): boolean {
  if (expected === undefined || expected.excluded.size === 0) return false;
  if (finding.detector !== "structure" || finding.weight !== "doubt") return false;
  if (finding.what.includes(ROWS_OF_NONE)) return expected.rows.size === 0;
  const excluded = new Set([...expected.excluded].map((name) => `table ${tableNameOf(name)}`));
  return excluded.has(finding.subject);
}

/** What is said of a dump without the rows of any table. */
export const ROWS_OF_NONE = "tables and the rows of none";

const STRUCTURE_OF_NONE = "and the structure of none";

/** Of a dump that can only be restored into a database which has the tables. */
export function withoutStructure(tables: number): string {
  return `It has the rows of ${tables} table${tables === 1 ? "" : "s"} ${STRUCTURE_OF_NONE}: it was made with pg_dump --data-only (or --section=data), and can only be restored where the tables are already.`;
}

/** Whether a dump was found to have rows, and no tables for them. */
export function lacksStructure(findings: readonly Finding[]): boolean {
  return findings.some(({ what }) => what.includes(STRUCTURE_OF_NONE));
}
