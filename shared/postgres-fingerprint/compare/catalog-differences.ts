import type { Catalog, EntryKind } from "../fingerprint.ts";

/** One entry that is not the same on both sides; undefined where it is not at all. */
export interface Difference {
  readonly kind: EntryKind;
  readonly name: string;
  readonly expected: string | undefined;
  readonly found: string | undefined;
}

/** All entries that are not letter by letter the same, in the order of kinds and names. */
export function differencesOf(expected: Catalog, found: Catalog): readonly Difference[] {
  const kinds = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return (kinds as EntryKind[]).flatMap((kind) => {
    const before = expected[kind] ?? {};
    const after = found[kind] ?? {};
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => {
      const was = own(before, name);
      const is = own(after, name);
      return was === is ? [] : [{ kind, name, expected: was, found: is }];
    });
  });
}

function own(entries: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** Tables and columns that are on one side only. */
export interface LoneTables {
  readonly missing: ReadonlySet<string>;
  readonly extra: ReadonlySet<string>;
}

export function loneTables(differences: readonly Difference[]): LoneTables {
  const holders = differences.filter(({ kind }) => HOLDERS.has(kind) || kind === "column");
  return {
    missing: new Set(holders.filter((one) => one.found === undefined).map(({ name }) => name)),
    extra: new Set(holders.filter((one) => one.expected === undefined).map(({ name }) => name)),
  };
}

const HOLDERS: ReadonlySet<EntryKind> = new Set<EntryKind>(["table", "materialized view", "view"]);
const NAMED_IN_IT: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "column",
  "column options",
  "constraint",
  "policy",
  "rule",
  "trigger",
]);
const NAMED_AS_IT: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "index clustered on",
  "replica identity",
  "row security",
  "storage options",
]);

/** Whether the difference is but a part of a table's (or column's) being missing or extra. */
export function goesWithTable(difference: Difference, lone: LoneTables): boolean {
  const { kind, name, expected, found } = difference;
  if (HOLDERS.has(kind)) return false;
  const belongs = (definition: string | undefined, tables: ReadonlySet<string>) =>
    definition === undefined ||
    holdersOf(kind, name, definition).some((holder) => tables.has(holder));
  return belongs(expected, lone.missing) && belongs(found, lone.extra);
}

/** The tables and columns that the entry may belong to, by its name or definition. */
function holdersOf(kind: EntryKind, name: string, definition: string): readonly string[] {
  if (NAMED_AS_IT.has(kind)) return [name];
  if (NAMED_IN_IT.has(kind)) return [withoutLast(name), ...(kind === "column" ? [] : [name])];
  if (kind === "index") return [/ ON (?:ONLY )?(.+?) USING /.exec(definition)?.[1] ?? ""];
  if (kind === "sequence") return [withoutLast(/ owned by (.+)$/.exec(definition)?.[1] ?? "")];
  if (kind === "owner" || kind === "privileges" || kind === "comment") {
    const object = name.replace(/^(?:table column|materialized view|foreign table|[a-z]+) /, "");
    const upon = / on (.+)$/.exec(object)?.[1] ?? object;
    return [upon, withoutLast(upon)];
  }
  return [];
}

/** A name without its last part: `public.orders` of `public.orders.id`. */
function withoutLast(name: string): string {
  return name.replace(/\.(?:"(?:[^"]|"")+"|[^."]+)$/, "");
}
