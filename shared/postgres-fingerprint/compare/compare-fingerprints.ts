import type { Finding, Item, Tier } from "../../proof/index.ts";
import type { EntryKind, PostgresFingerprint } from "../fingerprint.ts";
import { compareCatalogs } from "./compare-catalogs.ts";
import { compareDatabases, compareLargeObjects } from "./compare-databases.ts";
import { compareSequences } from "./compare-sequences.ts";
import { compareTables } from "./compare-tables.ts";

export interface ComparisonOptions {
  /** What the restore went through: `data` has no indexes, constraints, triggers, policies. */
  readonly tier: Tier;
  /** `mapped` where it was restored without privileges, or for other roles; they are notes then. */
  readonly privileges?: "kept" | "mapped";
}

export interface FingerprintComparison {
  readonly findings: readonly Finding[];
  /** Every table with rows of its own. */
  readonly items: readonly Item[];
  /** What the comparison cannot know, one sentence each. */
  readonly unknown: readonly string[];
}

/**
 * Says exactly what of a database is not what another was: pure. What does no harm, such as other
 * owners, another minor version or storage options, is a note or nothing.
 *
 * @param found taken with `like: expected`, so that tables are divided alike.
 */
export function compareFingerprints(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
  { tier, privileges = "kept" }: ComparisonOptions,
): FingerprintComparison {
  const catalogs = compareCatalogs(expected, found, { tier, privileges });
  const tables = compareTables(expected, found, tier);
  return {
    findings: [
      ...compareDatabases(expected, found),
      ...catalogs.findings,
      ...tables.findings,
      ...compareSequences(expected, found),
      ...compareLargeObjects(expected, found),
    ],
    items: tables.items,
    unknown: [...leftSentences(catalogs.left), ...unknownOf(expected)],
  };
}

export function leftSentences(left: ReadonlyMap<EntryKind, number>): readonly string[] {
  if (left.size === 0) return [];
  const counts = [...left]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${kind} ${count}`);
  return [
    `This tier does not restore what comes after the rows, so nothing is known of it: ${counts.join(", ")}.`,
  ];
}

/** What no fingerprint of this database tells. */
function unknownOf(expected: PostgresFingerprint): readonly string[] {
  const tables = Object.entries(expected.tables);
  const named = (names: readonly string[]) =>
    names.length <= 5
      ? names.join(", ")
      : `${names.slice(0, 5).join(", ")} and ${names.length - 5} more`;
  const withoutRows = tables
    .filter(([, { unread }]) => unread === "excluded")
    .map(([name]) => name);
  const foreign = Object.entries(expected.catalog.table ?? {})
    .filter(([, definition]) => definition.startsWith("foreign table"))
    .map(([name]) => name);
  const generated = Object.entries(expected.catalog.column ?? {})
    .filter(([, definition]) => / generated always as \(/.test(definition))
    .map(([name]) => name);
  return [
    ...(withoutRows.length > 0
      ? [`Rows of ${named(withoutRows)} were left out of the dump by intent.`]
      : []),
    ...(foreign.length > 0 ? [`Rows of foreign tables are not in a dump: ${named(foreign)}.`] : []),
    ...(generated.length > 0
      ? [
          `Generated columns are worked out anew, and their values were not compared: ${named(generated)}.`,
        ]
      : []),
  ];
}
