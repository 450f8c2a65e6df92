import { UserError } from "../../../../shared/failure/index.ts";
import type { Session } from "../../../../shared/postgres/index.ts";

/** A table that was asked for, as the restored database has it. */
export interface ChosenTable {
  /** As SQL names it: `public."Order"`. */
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly isPartitioned: boolean;
  readonly columns: readonly Column[];
}

export interface Column {
  /** As SQL names it. */
  readonly name: string;
  readonly type: string;
  readonly isGenerated: boolean;
}

interface Row {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly kind: string;
  readonly columns: readonly Column[] | null;
}

const TABLES = `SELECT n.nspname AS schema, c.relname AS table, c.relkind AS kind,
    format('%I.%I', n.nspname, c.relname) AS name,
    (SELECT json_agg(json_build_object('name', quote_ident(a.attname), 'type', format_type(a.atttypid, a.atttypmod),
       'isGenerated', a.attgenerated <> '') ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;

/** All tables and what could be taken for one, by what SQL names them and by their plain names. */
export async function tablesOf(session: Session): Promise<ReadonlyMap<string, Row>> {
  const rows = await session.query<Row>(TABLES);
  return new Map([
    ...rows.map((row) => [`${row.schema}.${row.table}`, row] as const),
    ...rows.map((row) => [row.name, row] as const),
  ]);
}

/**
 * Finds the tables that were asked for.
 *
 * @throws {UserError} where one is not in the backup, or is none.
 */
export function chosenTables(
  there: ReadonlyMap<string, Row>,
  asked: readonly string[],
): readonly ChosenTable[] {
  const chosen = new Map<string, ChosenTable>();
  for (const name of asked) {
    const row = there.get(name) ?? there.get(`public.${name}`);
    if (row === undefined) throw notThere(name, there);
    if (row.kind !== "r" && row.kind !== "p") throw noTable(name);
    chosen.set(row.name, toTable(row));
  }
  return [...chosen.values()];
}

function toTable({ name, schema, table, kind, columns }: Row): ChosenTable {
  return { name, schema, table, isPartitioned: kind === "p", columns: columns ?? [] };
}

function notThere(name: string, there: ReadonlyMap<string, Row>): UserError {
  const bare = name.split(".").at(-1) ?? name;
  const alike = [...there.values()].find(
    ({ table }) => table.toLowerCase() === bare.toLowerCase().replaceAll('"', ""),
  );
  return new UserError({
    title: "The backup has no such table",
    cause: `${name} is not in the backup.`,
    remedy: `${alike === undefined ? "See the tables in the backup's report" : `There is ${alike.name}`}. Nothing was changed.`,
  });
}

function noTable(name: string): UserError {
  return new UserError({
    title: "Only tables are restored by themselves",
    cause: `${name} is a view, or a table of another server.`,
    remedy: "Take it out of tables. Nothing was changed.",
  });
}

/**
 * Says how the columns of a table at the target are not those of the backup; undefined where they
 * are. Pure.
 */
export function columnDifference(
  backup: readonly Column[],
  target: readonly Column[],
): string | undefined {
  const before = new Map(backup.map((column) => [column.name, wordsOf(column)]));
  const now = new Map(target.map((column) => [column.name, wordsOf(column)]));
  const words = [
    ...[...before].flatMap(([name, was]) => {
      const is = now.get(name);
      if (is === undefined) return [`the target has no column ${name} (${was})`];
      return is === was ? [] : [`column ${name} was ${was} and is ${is}`];
    }),
    ...[...now.keys()]
      .filter((name) => !before.has(name))
      .map((name) => `the backup has no column ${name} (${now.get(name)})`),
  ];
  return words.length === 0 ? undefined : words.join(", ");
}

function wordsOf({ type, isGenerated }: Column): string {
  return isGenerated ? `${type}, generated` : type;
}
