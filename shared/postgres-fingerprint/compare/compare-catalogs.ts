import type { Finding, Tier } from "../../proof/index.ts";
import type { EntryKind, PostgresFingerprint } from "../fingerprint.ts";
import {
  type Difference,
  differencesOf,
  goesWithTable,
  loneTables,
} from "./catalog-differences.ts";
import { detectorOf, POST_DATA, PRIVILEGES, weightOf } from "./kinds.ts";
import { likenessOf } from "./same-definition.ts";
import { shownAround, shownDefinition } from "./shown.ts";

export interface CatalogComparison {
  readonly tier: Tier;
  readonly privileges: "kept" | "mapped";
}

/** What was compared, and what was left for a deeper tier. */
export interface ComparedCatalogs {
  readonly findings: readonly Finding[];
  /** How many entries of each kind the tier had to leave. */
  readonly left: ReadonlyMap<EntryKind, number>;
}

/** Holds one catalog against the other. Pure. */
export function compareCatalogs(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
  options: CatalogComparison,
): ComparedCatalogs {
  const left = new Map<EntryKind, number>();
  const notes = new Map<string, Difference[]>();
  const findings: Finding[] = [];
  const majors = [majorOf(expected), majorOf(found)] as const;
  const differences = differencesOf(expected.catalog, found.catalog);
  const lone = loneTables(differences);
  for (const difference of differences) {
    const { kind } = difference;
    if (kind === "collation version" || goesWithTable(difference, lone)) continue;
    if (isLeft(difference, options.tier)) {
      left.set(kind, (left.get(kind) ?? 0) + 1);
    } else if (isMany(difference, options)) {
      notes.set(kind, [...(notes.get(kind) ?? []), difference]);
    } else findings.push(...findingsOf(difference, { ...options, majors, expected }));
  }
  for (const [kind, many] of notes) findings.push(summed(kind, many));
  return { findings: [...findings, ...ordersOf(expected, found)], left };
}

export function majorOf({ server }: PostgresFingerprint): number {
  return Math.floor(server.versionNumber / 10_000);
}

/** Whether the tier `data` does not restore it. */
function isLeft({ kind, name, expected, found }: Difference, tier: Tier): boolean {
  if (tier === "full") return false;
  if (kind === "constraint" && /^CHECK (?!.* NOT (?:VALID|ENFORCED)$)/s.test(expected ?? ""))
    return false;
  if (kind === "type" && / NOT VALID\b/.test(expected ?? "")) return true;
  // What is forced is so before the rows, what is enabled only after them.
  if (kind === "row security") return true;
  if (POST_DATA.has(kind)) return found === undefined;
  if (kind === "comment" && found === undefined) {
    return /^(?:index|trigger|event trigger|policy|rule|table constraint|publication|subscription|statistics object) /.test(
      name,
    );
  }
  // A view that needs a primary key is a stand-in until the key is there.
  if (kind === "view" && found !== undefined) return isStandIn(found);
  if (kind === "materialized view" || PRIVILEGES.has(kind)) return found === undefined;
  return false;
}

/** What pg_dump puts in a view's place until the key that its query needs is there. */
function isStandIn(view: string): boolean {
  return / as\s+SELECT NULL::/.test(view);
}

/** Owners and mapped privileges differ for all objects or none: one sentence is enough. */
function isMany({ kind }: Difference, { privileges }: CatalogComparison): boolean {
  return kind === "owner" || (PRIVILEGES.has(kind) && privileges === "mapped");
}

function summed(kind: string, many: readonly Difference[]): Finding {
  const [first] = many;
  const word = kind === "owner" ? "another owner" : "other privileges";
  return {
    detector: "catalog",
    tier: "data",
    weight: "note",
    subject: kind === "owner" ? "owners" : kind,
    what: `${many.length} object${many.length === 1 ? " has" : "s have"} ${word} than at the source, the first being ${first?.name ?? "unknown"}.`,
    expected: first?.expected,
    found: first?.found,
  };
}

interface Around extends CatalogComparison {
  readonly majors: readonly [number, number];
  readonly expected: PostgresFingerprint;
}

function findingsOf(difference: Difference, around: Around): readonly Finding[] {
  const { kind, name, expected, found } = difference;
  const base = {
    detector: detectorOf(kind),
    tier: POST_DATA.has(kind) ? ("full" as const) : ("data" as const),
    weight: weightOf(kind, around.privileges),
    subject: subjectOf(kind, name),
  };
  if (found === undefined) return missing(difference, base, around);
  if (expected === undefined) return extra(difference, base);
  const likeness = likenessOf(kind, expected, found, around.majors);
  if (likeness === "same" || isOfVersion(difference, around)) return [];
  const [was, is] = shownAround(expected, found);
  if (likeness === "otherwise" && !isStandIn(found)) {
    const what = `PostgreSQL ${around.majors[1]} writes it otherwise than ${around.majors[0]} did, so whether it is the same cannot be told.`;
    return [{ ...base, weight: "doubt", what, expected: was, found: is }];
  }
  return [{ ...base, ...changed(difference), expected: was, found: is }];
}

/** `column shop.orders.total`; entries of privileges and the like begin with a word of their own. */
function subjectOf(kind: EntryKind, name: string): string {
  return kind === "privileges" || kind === "owner" || kind === "comment"
    ? `${kind} of ${name}`
    : `${kind} ${name}`;
}

/** 15 took from everybody the right to create in the schema public. */
function isOfVersion({ kind, name }: Difference, { majors }: Around): boolean {
  return majors[0] !== majors[1] && kind === "privileges" && name === "schema public";
}

type Base = Pick<Finding, "detector" | "tier" | "weight" | "subject">;

function missing({ kind, name, expected = "" }: Difference, base: Base, around: Around): Finding[] {
  if (isOfVersion({ kind, name, expected, found: undefined }, around)) return [];
  const isLeftOut =
    LEFT_OUT_OF_DUMPS.some(([of, words]) => of === kind && words.test(expected)) ||
    (kind === "privileges" && isOfIdentity(name, around));
  const rows = kind === "table" ? (around.expected.tables[name]?.rows ?? 0) : 0;
  const weight = isLeftOut ? "note" : base.weight;
  const what = whyMissing({ kind, isLeftOut, rows });
  return [{ ...base, weight, what, expected: shownDefinition(expected) }];
}

/** An index that was never finished; that the triggers behind a foreign key are disabled. */
const LEFT_OUT_OF_DUMPS: readonly (readonly [EntryKind, RegExp])[] = [
  ["index", / INVALID\b/],
  ["trigger", /^of the foreign key, disabled$/],
];

/** pg_dump 14 leaves out what others may do with the sequence of an identity column. */
function isOfIdentity(name: string, { majors, expected: { catalog } }: Around): boolean {
  const sequence = /^sequence (.*)$/s.exec(name)?.[1];
  if (majors[0] > 14 || sequence === undefined) return false;
  const column = / owned by (.*)$/s.exec(catalog.sequence?.[sequence] ?? "")?.[1];
  return / as identity\b/.test(catalog.column?.[column ?? ""] ?? "");
}

function whyMissing(facts: {
  readonly kind: EntryKind;
  readonly isLeftOut: boolean;
  readonly rows: number;
}): string {
  const { kind, isLeftOut, rows } = facts;
  if (isLeftOut) return "It is missing; pg_dump leaves this out.";
  if (kind === "role") return "It is not there; the dump of a database does not hold roles.";
  if (kind === "extension") return "It is missing: the server may not have it installed.";
  return rows > 0 ? `It is missing, with its ${rows} rows.` : "It is missing.";
}

/** Every new database has them. */
const FROM_THE_START = new Set(["schema public", "extension plpgsql"]);

function extra({ kind, name, found = "" }: Difference, base: Base): Finding[] {
  const isHarmless = kind === "extension" || FROM_THE_START.has(`${kind} ${name}`);
  const weight = isHarmless ? "note" : base.weight;
  if (kind === "role") return [];
  return [
    {
      ...base,
      weight,
      what: "It is there, but was not at the source.",
      found: shownDefinition(found),
    },
  ];
}

/** What happened to an entry that is on both sides; its weight where that is not the kind's. */
function changed({ kind, expected = "", found = "" }: Difference): {
  what: string;
  weight?: Finding["weight"];
} {
  const appeared = (word: RegExp) => word.test(found) && !word.test(expected);
  if (kind === "constraint" && appeared(/ NOT VALID$/)) {
    return { what: "It is not valid: the server has not proven it for the rows that are there." };
  }
  if (kind === "constraint" && appeared(/ NOT ENFORCED/)) return { what: "It is not enforced." };
  if (kind === "index" && appeared(/ INVALID\b/)) {
    return { what: "It is invalid: the server does not use it." };
  }
  if (kind === "view" && isStandIn(found) && !isStandIn(expected)) {
    return { what: "It is a stand-in for the real one, which could not be made." };
  }
  if (kind === "trigger" && appeared(/ DISABLED$/)) return { what: "It is disabled." };
  if (kind === "extension") {
    const schema = (text: string) => text.replace(/^.* in schema /, "");
    return schema(expected) === schema(found)
      ? { what: "It is there in another version.", weight: "note" }
      : { what: "It is in another schema." };
  }
  return { what: whatChanged(kind, expected, found) };
}

/** Definitions up to this length are put into the sentence. */
const SHORT = 60;

function whatChanged(kind: EntryKind, expected: string, found: string): string {
  const [was, is] = [expected || "none", found || "none"];
  if (kind === "role") return `Its attributes were "${was}", and are "${is}".`;
  const isShort = was.length <= SHORT && is.length <= SHORT;
  return isShort ? `It was "${was}", and is "${is}".` : "It is not what it was.";
}

/** Tables whose columns are the same, but come in another order. */
function ordersOf(expected: PostgresFingerprint, found: PostgresFingerprint): readonly Finding[] {
  const before = columnsByTable(expected);
  const after = columnsByTable(found);
  return [...before].flatMap(([table, columns]) => {
    const others = after.get(table) ?? [];
    // A dump writes a child's columns in the order of its parents'.
    if (/\b(?:inherits|partition of) /.test(expected.catalog.table?.[table] ?? "")) return [];
    if (others.length !== columns.length || others.join() === columns.join()) return [];
    if ([...others].sort().join() !== [...columns].sort().join()) return [];
    return [
      {
        detector: "catalog",
        tier: "data" as const,
        weight: "damage" as const,
        subject: `table ${table}`,
        what: "Its columns come in another order.",
        expected: shownDefinition(columns.join(", ")),
        found: shownDefinition(others.join(", ")),
      },
    ];
  });
}

/** The names of each table's columns in their order. */
function columnsByTable({ catalog }: PostgresFingerprint): ReadonlyMap<string, string[]> {
  const columns = new Map<string, string[]>();
  for (const name of Object.keys(catalog.column ?? {})) {
    const table = name.replace(/\.(?:"(?:[^"]|"")+"|[^."]+)$/, "");
    columns.set(table, [...(columns.get(table) ?? []), name.slice(table.length + 1)]);
  }
  return columns;
}
