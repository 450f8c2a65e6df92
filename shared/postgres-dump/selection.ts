import { nearestName } from "../failure/index.ts";
import { quoteIdentifier, quoteLiteral, quoteQualified, type Session } from "../postgres/index.ts";
import { type NamePattern, parsePattern } from "./pattern.ts";
import type { Relation } from "./relations.ts";
import type { DumpSettings } from "./settings.ts";

/** What of the database is dumped. */
export interface Selection {
  /** Everything that is dumped, also where its rows are not. */
  readonly relations: readonly Relation[];
  readonly excludedSchemas: readonly string[];
  readonly excludedTables: readonly Relation[];
  readonly excludedData: readonly Relation[];
  /** Undefined where no schema was asked for by name. */
  readonly includedSchemas: readonly string[] | undefined;
  /** Undefined where no table was asked for by name. */
  readonly includedTables: readonly Relation[] | undefined;
  /** Without schemas and tables asked for by name, large objects are dumped too. */
  readonly holdsLargeObjects: boolean;
  /** Of pg_dump, the same by exact names. */
  readonly args: readonly string[];
  /** What names nothing. */
  readonly problems: readonly string[];
}

export interface Contents {
  readonly relations: readonly Relation[];
  readonly schemas: readonly string[];
}

/**
 * Finds what the patterns mean, by the server's own regular expressions, as pg_dump does it. What
 * matches nothing is a problem: a misspelt name would otherwise be left out silently.
 *
 * @throws {UserError} where a pattern cannot be read.
 */
export async function select(
  session: Session,
  contents: Contents,
  settings: DumpSettings,
): Promise<Selection> {
  const matcher = new Matcher(session, contents);
  const schemas = await matcher.schemas("schemas", settings.schemas);
  const excludedSchemas = (await matcher.schemas("exclude-schemas", settings.excludeSchemas)) ?? [];
  const tables = await matcher.tables("tables", settings.tables);
  const excludedTables = (await matcher.tables("exclude-tables", settings.excludeTables)) ?? [];
  const data = (
    (await matcher.tables("exclude-table-data", settings.excludeTableData)) ?? []
  ).filter(
    // A pattern that fits a table's sequence as well means the rows.
    ({ kind }) => kind === "r" || kind === "p" || kind === "m",
  );
  const relations = contents.relations.filter((relation) =>
    isDumped(relation, { schemas, tables, excludedSchemas, excludedTables }),
  );
  const held = new Set(relations);
  return {
    relations,
    excludedSchemas,
    excludedTables,
    excludedData: data.filter((relation) => held.has(relation)),
    // Tables by name go before schemas by name, says pg_dump.
    includedSchemas: tables === undefined ? schemas : undefined,
    includedTables: tables?.filter((relation) => held.has(relation)),
    holdsLargeObjects: schemas === undefined && tables === undefined,
    args: [
      ...(tables === undefined ? bySchema("--schema", schemas) : []),
      ...byTable("--table", tables),
      ...bySchema("--exclude-schema", excludedSchemas),
      ...byTable("--exclude-table", excludedTables),
      ...byTable("--exclude-table", tables === undefined ? ofExtensions(contents, schemas) : []),
      ...byTable("--exclude-table-data", data),
    ],
    problems: [...matcher.problems, ...nothingLeft(relations, schemas, tables)],
  };
}

interface Chosen {
  readonly schemas: readonly string[] | undefined;
  readonly tables: readonly Relation[] | undefined;
  readonly excludedSchemas: readonly string[];
  readonly excludedTables: readonly Relation[];
}

function isDumped(relation: Relation, chosen: Chosen): boolean {
  const { schemas, tables, excludedSchemas, excludedTables } = chosen;
  if (excludedTables.includes(relation)) return false;
  if (tables !== undefined) return tables.includes(relation);
  if (schemas !== undefined && !schemas.includes(relation.schema)) return false;
  // With schemas by name, pg_dump leaves out the extensions that such rows would need.
  if (schemas !== undefined && relation.ofExtension) return false;
  return !excludedSchemas.includes(relation.schema);
}

function nothingLeft(
  relations: readonly Relation[],
  schemas: readonly string[] | undefined,
  tables: readonly Relation[] | undefined,
): readonly string[] {
  const asked = (schemas?.length ?? 0) > 0 || (tables?.length ?? 0) > 0;
  return asked && relations.length === 0
    ? ["what is included is excluded again: nothing is left"]
    : [];
}

/** Rows that could not be restored, for the extension that makes their table is not dumped. */
function ofExtensions(
  { relations }: Contents,
  schemas: readonly string[] | undefined,
): readonly Relation[] {
  if (schemas === undefined) return [];
  return relations.filter(({ ofExtension, schema }) => ofExtension && schemas.includes(schema));
}

function bySchema(option: string, names: readonly string[] | undefined): string[] {
  return (names ?? []).map((name) => `${option}=${quoteIdentifier(name)}`);
}

function byTable(option: string, relations: readonly Relation[] | undefined): string[] {
  return (relations ?? []).map(({ schema, name }) => `${option}=${quoteQualified(schema, name)}`);
}

class Matcher {
  readonly problems: string[] = [];
  readonly #session: Session;
  readonly #contents: Contents;

  constructor(session: Session, contents: Contents) {
    this.#session = session;
    this.#contents = contents;
  }

  async schemas(
    input: string,
    patterns: readonly string[] | undefined,
  ): Promise<readonly string[] | undefined> {
    if (patterns === undefined || patterns.length === 0) return undefined;
    const found = new Set<string>();
    for (const pattern of patterns.map((text) => parsePattern(text, 1))) {
      const names = await this.#matching(pattern.name, this.#contents.schemas);
      for (const name of names) found.add(name);
      if (names.size === 0) this.#missing(input, pattern, this.#contents.schemas);
    }
    return [...found];
  }

  async tables(
    input: string,
    patterns: readonly string[] | undefined,
  ): Promise<readonly Relation[] | undefined> {
    if (patterns === undefined || patterns.length === 0) return undefined;
    const { relations } = this.#contents;
    const found = new Set<Relation>();
    for (const pattern of patterns.map((text) => parsePattern(text, 2))) {
      const names = await this.#matching(pattern.name, distinct(relations, "name"));
      // A name without its schema is looked for in all: search_path is not the user's here.
      const schemas =
        pattern.schema === undefined
          ? undefined
          : await this.#matching(pattern.schema, distinct(relations, "schema"));
      const matching = relations.filter(
        ({ schema, name }) => names.has(name) && (schemas?.has(schema) ?? true),
      );
      for (const relation of matching) found.add(relation);
      if (matching.length === 0) this.#missing(input, pattern, namesFor(pattern, relations));
    }
    return withPartitions(found, relations);
  }

  async #matching(expression: string, names: readonly string[]): Promise<ReadonlySet<string>> {
    const list = quoteLiteral(JSON.stringify(names));
    const rows = await this.#session.query<{ readonly name: string }>(
      `SELECT name FROM json_array_elements_text(${list}::json) AS each (name) WHERE name ~ ${quoteLiteral(expression)}`,
    );
    return new Set(rows.map(({ name }) => name));
  }

  #missing(input: string, { text }: NamePattern, names: readonly string[]): void {
    const near = nearestName(text.replaceAll('"', ""), names);
    this.problems.push(
      `${input} names ${text}, and there is none${near === undefined ? "" : ` (${near}?)`}`,
    );
  }
}

/** Whoever names a partitioned table means its rows, which are in its partitions. */
function withPartitions(
  named: ReadonlySet<Relation>,
  relations: readonly Relation[],
): readonly Relation[] {
  const all = new Set(named);
  for (let size = -1; size !== all.size; ) {
    size = all.size;
    const oids = new Set([...all].map(({ oid }) => oid));
    for (const relation of relations) {
      if (relation.partitionOf !== null && oids.has(relation.partitionOf)) all.add(relation);
    }
  }
  return [...all];
}

function distinct(relations: readonly Relation[], key: "schema" | "name"): readonly string[] {
  return [...new Set(relations.map((relation) => relation[key]))];
}

function namesFor(pattern: NamePattern, relations: readonly Relation[]): readonly string[] {
  return relations.map(({ schema, name }) =>
    pattern.schema === undefined ? name : `${schema}.${name}`,
  );
}
