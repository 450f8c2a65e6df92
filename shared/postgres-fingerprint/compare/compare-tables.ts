import type { Finding, Item, Tier } from "../../proof/index.ts";
import type { PostgresFingerprint, TableContent } from "../fingerprint.ts";
import { differingParts } from "./key-range.ts";

/** Rows of all tables, held against each other. */
export interface ComparedTables {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
}

/** Compares the rows of every table. Pure. Tables that are not there at all are the catalog's. */
export function compareTables(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
  tier: Tier,
): ComparedTables {
  const findings: Finding[] = [];
  const items: Item[] = [];
  const names = [
    ...new Set([...Object.keys(expected.tables), ...Object.keys(found.tables)]),
  ].sort();
  for (const name of names) {
    const pair = pairOf(name, expected, found);
    items.push(itemOf(pair));
    const finding = findingOf(pair, tier);
    if (finding !== undefined) findings.push(finding);
  }
  return { findings, items };
}

interface Pair {
  readonly name: string;
  readonly expected: TableContent | undefined;
  readonly found: TableContent | undefined;
  /** Whether the same values give the same hash on both sides. */
  readonly comparable: "yes" | "other encoding" | "other columns";
}

function pairOf(name: string, expected: PostgresFingerprint, found: PostgresFingerprint): Pair {
  const comparable =
    expected.database.encoding !== found.database.encoding
      ? "other encoding"
      : hashedColumns(expected, name) === hashedColumns(found, name)
        ? "yes"
        : "other columns";
  return {
    name,
    expected: own(expected.tables, name),
    found: own(found.tables, name),
    comparable,
  };
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

const columnsByTable = new WeakMap<PostgresFingerprint, ReadonlyMap<string, string>>();

/** Names and types of a table's columns as one text: what a row's hash depends on. */
function hashedColumns(fingerprint: PostgresFingerprint, table: string): string {
  const known = columnsByTable.get(fingerprint) ?? gather(fingerprint);
  columnsByTable.set(fingerprint, known);
  return known.get(table) ?? "";
}

function gather({ catalog }: PostgresFingerprint): ReadonlyMap<string, string> {
  const columns = new Map<string, string[]>();
  for (const [name, definition] of Object.entries(catalog.column ?? {})) {
    const table = name.replace(/\.(?:"(?:[^"]|"")+"|[^."]+)$/, "");
    const generated = / generated always as \(/.test(definition) ? " generated" : "";
    const type = definition.replace(/ (?:collate|not null|generated|default|options)\b.*$/s, "");
    const list = columns.get(table) ?? [];
    list.push(`${name} ${type}${generated}`);
    columns.set(table, list);
  }
  return new Map([...columns].map(([table, list]) => [table, list.sort().join("\n")]));
}

/** Why the rows of a table say nothing, on either side. */
function unreadOf({ expected, found }: Pair): TableContent["unread"] {
  return expected?.unread ?? found?.unread;
}

function itemOf(pair: Pair): Item {
  const { name, expected, found } = pair;
  const isRead = unreadOf(pair) === undefined;
  const counted = (content: TableContent | undefined) =>
    content === undefined || content.unread !== undefined ? undefined : content.rows;
  return {
    name,
    expected: counted(expected),
    found: counted(found),
    same:
      !isRead || expected === undefined || found === undefined || isUncertain(pair)
        ? undefined
        : isSame(expected, found),
    bytes: expected?.bytes ?? found?.bytes,
  };
}

function isSame(expected: TableContent, found: TableContent): boolean {
  return expected.rows === found.rows && expected.hash === found.hash;
}

/** As many rows, but their hashes cannot be held against each other. */
function isUncertain({ expected, found, comparable }: Pair): boolean {
  return comparable !== "yes" && expected?.rows === found?.rows && expected?.hash !== found?.hash;
}

function findingOf(pair: Pair, tier: Tier): Finding | undefined {
  const { name, expected, found, comparable } = pair;
  if (expected?.unread === undefined && found?.unread === "not populated" && tier === "full") {
    return notPopulated(name, expected);
  }
  if (found === undefined && expected?.extension !== undefined) return goneFrom(name, expected);
  if (expected === undefined || found === undefined || unreadOf(pair) !== undefined)
    return undefined;
  if (isSame(expected, found)) return undefined;
  const subject = `${expected.passing === "materialized view" ? "materialized view" : "table"} ${name}`;
  const base = { tier: "data" as const, subject, expected: rows(expected), found: rows(found) };
  if (expected.passing !== undefined) {
    const why =
      expected.passing === "unlogged"
        ? "it is unlogged, and its contents are not meant to last"
        : "a restore fills it anew from its query";
    return { ...base, detector: "content", weight: "note", what: `Its contents differ; ${why}.` };
  }
  if (expected.rows !== found.rows) {
    return {
      ...base,
      detector: "row-count",
      weight: "damage",
      what: `${countDifference(expected, found)}${whereOf(pair)}.`,
    };
  }
  if (comparable === "other columns") return undefined;
  if (comparable === "other encoding") {
    const what = `It has as many rows, but whether they are the same cannot be told: the database has another encoding.`;
    return { ...base, detector: "content", weight: "doubt", what };
  }
  return {
    ...base,
    detector: "content",
    weight: "damage",
    what: `It has as many rows as it had, but they are not the same${whereOf(pair)}.`,
    expected: `hash ${expected.hash}`,
    found: `hash ${found.hash}`,
  };
}

function notPopulated(name: string, expected: TableContent | undefined): Finding {
  return {
    detector: "content",
    tier: "full",
    weight: "damage",
    subject: `materialized view ${name}`,
    what: "It was never filled from its query.",
    expected: expected && rows(expected),
    found: "not populated",
  };
}

/** No entry of the catalog tells of a table that comes with its extension. */
function goneFrom(name: string, expected: TableContent): Finding | undefined {
  if (expected.rows === 0 || expected.unread !== undefined) return undefined;
  return {
    detector: "row-count",
    tier: "data",
    weight: "damage",
    subject: `table ${name}`,
    what: `It is missing, with its ${rows(expected)}: the extension ${expected.extension} is not there, or does not make it.`,
    expected: rows(expected),
  };
}

function rows({ rows: count }: TableContent): string {
  return `${count} row${count === 1 ? "" : "s"}`;
}

function countDifference(expected: TableContent, found: TableContent): string {
  const difference = found.rows - expected.rows;
  const many = Math.abs(difference);
  const word = `${many} row${many === 1 ? "" : "s"}`;
  if (found.rows === 0) return `It is empty; ${rows(expected)} were expected`;
  return difference < 0
    ? `${word} of ${expected.rows} ${many === 1 ? "is" : "are"} missing`
    : `It has ${word} more than the ${expected.rows} expected`;
}

/** `, first where id is from 1 to below 40: 39 rows expected, 38 found (1 of 16 ranges differ)`. */
function whereOf({ expected, found, comparable }: Pair): string {
  if (found?.rows === 0) return "";
  const parts = differingParts(expected?.parts, found?.parts);
  if (parts === undefined) return "";
  const { first, expectedRows, foundRows, differing, parts: count, byKey } = parts;
  const counts = `${expectedRows} row${expectedRows === 1 ? "" : "s"} expected, ${foundRows} found`;
  if (!byKey) {
    return `; it has no key to say where: ${differing} of ${count} parts by hash differ`;
  }
  const share = comparable === "yes" ? `; ${differing} of ${count} key ranges differ` : "";
  return `; first in the key range ${first}: ${counts}${share}`;
}
