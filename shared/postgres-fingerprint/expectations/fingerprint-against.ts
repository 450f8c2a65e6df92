import type { Finding, Item, Tier } from "../../proof/index.ts";
import { compareCatalogs } from "../compare/compare-catalogs.ts";
import { type FingerprintComparison, leftSentences } from "../compare/compare-fingerprints.ts";
import type { PostgresFingerprint, TableContent } from "../fingerprint.ts";
import type { Expectations, ExpectedTable } from "./expectations.ts";

export interface AgainstOptions {
  readonly tier: Tier;
  /** Of a database made from the expectations' schema file by the same server. */
  readonly schema?: PostgresFingerprint | undefined;
}

/**
 * Holds what was restored against what its user declared, where there is no fingerprint. Pure.
 */
export function fingerprintAgainst(
  expectations: Expectations,
  found: PostgresFingerprint,
  { tier, schema }: AgainstOptions,
): FingerprintComparison {
  const tables = expectedTables(expectations, found);
  const catalogs =
    schema === undefined
      ? undefined
      : compareCatalogs(schema, found, { tier, privileges: "mapped" });
  return {
    findings: [
      ...tables.flatMap(tableFindings),
      ...extensionFindings(expectations, found),
      ...(catalogs?.findings ?? []),
    ],
    items: itemsOf(tables, found),
    unknown: [
      ...(catalogs === undefined ? [] : leftSentences(catalogs.left)),
      ...unknownOf(expectations, found, schema !== undefined),
    ],
  };
}

interface TablePair {
  readonly name: string;
  readonly expected: ExpectedTable;
  readonly found: TableContent | undefined;
}

function expectedTables({ tables }: Expectations, found: PostgresFingerprint): TablePair[] {
  return Object.entries(tables).map(([given, expected]) => {
    const name = nameIn(found, given);
    return { name, expected, found: contentOf(found, name) };
  });
}

/** The table's name as the fingerprint has it; the schema public may be left out. */
function nameIn({ tables, catalog }: PostgresFingerprint, given: string): string {
  const known = (name: string) =>
    Object.hasOwn(tables, name) || Object.hasOwn(catalog.table ?? {}, name);
  return known(given) || given.includes(".") ? given : `public.${given}`;
}

/** Of a partitioned table that of all its partitions. */
function contentOf(found: PostgresFingerprint, name: string): TableContent | undefined {
  if (Object.hasOwn(found.tables, name)) return found.tables[name];
  const definitions = found.catalog.table ?? {};
  if (!Object.hasOwn(definitions, name)) return undefined;
  const parts = Object.entries(definitions)
    .filter(([, definition]) => definition.includes(`partition of ${name} `))
    .flatMap(([part]) => contentOf(found, part) ?? []);
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    hash: "",
  };
}

function tableFindings({ name, expected, found }: TablePair): readonly Finding[] {
  const { minRows, maxRows } = expected;
  const base = {
    detector: "expectation",
    tier: "data" as const,
    weight: "damage" as const,
    subject: `table ${name}`,
    expected: wordsOf(expected),
  };
  if (found === undefined) {
    return [{ ...base, what: "It was declared to be there, and is missing." }];
  }
  if (found.unread !== undefined) return [];
  const rows = { found: `${found.rows} rows` };
  if (found.rows < minRows) {
    return [{ ...base, ...rows, what: "It has fewer rows than were declared." }];
  }
  return maxRows !== undefined && found.rows > maxRows
    ? [{ ...base, ...rows, what: "It has more rows than were declared." }]
    : [];
}

function wordsOf({ minRows, maxRows }: ExpectedTable): string {
  if (minRows === maxRows) return `${minRows} rows`;
  return maxRows === undefined ? `at least ${minRows} rows` : `${minRows} to ${maxRows} rows`;
}

function extensionFindings(
  { extensions }: Expectations,
  found: PostgresFingerprint,
): readonly Finding[] {
  return Object.entries(extensions).flatMap(([name, version]): Finding[] => {
    const entries = found.catalog.extension ?? {};
    const is = Object.hasOwn(entries, name) ? entries[name] : entries[`"${name}"`];
    const base = {
      detector: "extension",
      tier: "data" as const,
      weight: "damage" as const,
      subject: `extension ${name}`,
      expected: version === undefined ? undefined : `version ${version}`,
    };
    if (is === undefined)
      return [{ ...base, what: "It was declared to be there, and is missing." }];
    const actual = /^version (\S+) /.exec(is)?.[1];
    return version === undefined || actual === version
      ? []
      : [{ ...base, what: "It is there in another version.", found: `version ${actual}` }];
  });
}

/** Every table that is there, and those that should be. */
function itemsOf(tables: readonly TablePair[], found: PostgresFingerprint): readonly Item[] {
  const declared = new Map(tables.map((pair) => [pair.name, pair]));
  const names = [...new Set([...declared.keys(), ...Object.keys(found.tables)])].sort();
  return names.map((name) => {
    const content = declared.get(name)?.found ?? found.tables[name];
    const { minRows, maxRows } = declared.get(name)?.expected ?? {};
    return {
      name,
      expected: minRows !== undefined && minRows === maxRows ? minRows : undefined,
      found: content?.unread === undefined ? content?.rows : undefined,
      same: undefined,
      bytes: content?.bytes,
    };
  });
}

function unknownOf(
  { tables }: Expectations,
  found: PostgresFingerprint,
  hasSchema: boolean,
): readonly string[] {
  const declared = Object.keys(tables).length;
  const all = Object.keys(found.tables).length;
  return [
    "There is no fingerprint of the source: whether rows are those that were there cannot be told, only how many there are.",
    declared === 0
      ? `No number of rows was declared, so whether any of the ${all} tables has lost rows is not known.`
      : `Numbers of rows were declared for ${declared} tables, and ${all} are there; of the others none is known.`,
    ...(hasSchema
      ? []
      : ["There is no schema to compare with: what is missing of it is not known."]),
    "Sequences and large objects were held against nothing.",
  ];
}
