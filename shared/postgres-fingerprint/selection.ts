import { quoteQualified } from "../postgres/index.ts";
import type { Catalog } from "./fingerprint.ts";
import type { Named } from "./sessions.ts";

/** What was left out of the dump by intent. */
export interface Exclusions {
  readonly schemas: readonly string[];
  readonly tables: readonly Named[];
  /** Tables whose definition is in the dump, but not their rows. */
  readonly data: readonly Named[];
  readonly largeObjects?: boolean;
}

/** Kinds of entries that a dump of some tables only holds. */
const WITH_TABLES = new Set([
  "table",
  "column",
  "column options",
  "constraint",
  "index",
  "index clustered on",
  "materialized view",
  "policy",
  "replica identity",
  "row security",
  "rule",
  "sequence",
  "storage options",
  "trigger",
  "view",
]);

/** Kinds of entries that a dump of some schemas leaves out, for they are in none. */
const IN_NO_SCHEMA = new Set([
  "access method",
  "cast",
  "event trigger",
  "extension",
  "foreign data wrapper",
  "foreign server",
  "language",
  "publication",
  "subscription",
  "transform",
  "user mapping",
]);

/** Their names hold no schema. */
const NAMED_FREELY = new Set(["collation version", "database setting", "role"]);

/** Decides what is in the dump that the fingerprint belongs to. */
export class Selection {
  readonly #schemas: ReadonlySet<string>;
  readonly #tables: ReadonlySet<string>;
  readonly #data: ReadonlySet<string>;
  readonly #only: ReadonlySet<string> | undefined;
  readonly #onlySchemas: ReadonlySet<string> | undefined;
  readonly holdsLargeObjects: boolean;
  readonly phrases: readonly string[];

  constructor(options: {
    readonly excluded?: Exclusions;
    readonly includedOnly?: readonly Named[] | undefined;
    readonly includedSchemas?: readonly string[] | undefined;
  }) {
    const { schemas = [], tables = [], data = [], largeObjects } = options.excluded ?? {};
    this.#schemas = new Set(schemas);
    this.#tables = new Set(tables.map(key));
    this.#data = new Set(data.map(key));
    this.#only = options.includedOnly && new Set(options.includedOnly.map(key));
    this.#onlySchemas = options.includedSchemas && new Set(options.includedSchemas);
    const isPart = this.#only !== undefined || this.#onlySchemas !== undefined;
    this.holdsLargeObjects = largeObjects !== true && !isPart;
    this.phrases = [
      ...schemas.map((schema) => `schema ${schema}`),
      ...tables.map((table) => `table ${quoteQualified(table.schema, table.name)}`),
      ...data.map((table) => `rows of ${quoteQualified(table.schema, table.name)}`),
      ...(largeObjects === true ? ["large objects"] : []),
      ...(this.#only === undefined ? [] : [`everything but ${this.#only.size} tables`]),
      ...(options.includedSchemas === undefined
        ? []
        : [`everything but the schemas ${options.includedSchemas.join(", ")}`]),
    ];
  }

  /**
   * Whether a table or sequence is in it.
   *
   * @param extension the one that made it: a dump of some schemas only has no extensions.
   */
  holds(relation: Named, extension: string | null = null): boolean {
    if (extension !== null && this.#onlySchemas !== undefined) return false;
    if (this.#schemas.has(relation.schema) || this.#tables.has(key(relation))) return false;
    if (this.#onlySchemas?.has(relation.schema) === false) return false;
    return this.#only === undefined || this.#only.has(key(relation));
  }

  holdsDataOf(table: Named): boolean {
    return !this.#data.has(key(table));
  }

  /** Without the entries of what is not in it. */
  catalog(whole: Catalog): Catalog {
    if (this.phrases.length === 0) return whole;
    return Object.fromEntries(
      Object.entries(whole).flatMap(([kind, entries]) => {
        if (this.#only !== undefined && !WITH_TABLES.has(kind)) return [];
        if (this.#onlySchemas !== undefined && IN_NO_SCHEMA.has(kind)) return [];
        if (NAMED_FREELY.has(kind)) return [[kind, entries]];
        const kept = Object.entries(entries).filter(([name]) => this.#keeps(name));
        return kept.length === 0 ? [] : [[kind, Object.fromEntries(kept)]];
      }),
    );
  }

  #keeps(name: string): boolean {
    const named = namesIn(name);
    const schema = named[0] ?? "";
    if (this.#schemas.has(schema) || this.#onlySchemas?.has(schema) === false) return false;
    const table = key({ schema, name: named[1] ?? "" });
    if (this.#tables.has(table)) return false;
    return this.#only === undefined || this.#only.has(table);
  }
}

function key({ schema, name }: Named): string {
  return JSON.stringify([schema, name]);
}

/** The identifiers of an entry's name, after the words that may stand before them. */
function namesIn(name: string): readonly string[] {
  const dotted =
    /(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)(?:\.(?:"(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*))+/u;
  const match = dotted.exec(name)?.[0] ?? name.replace(/^.*\bschema /, "");
  return [...match.matchAll(/"((?:[^"]|"")+)"|([^."]+)/gu)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? "",
  );
}
