import { namesIn } from "./copy-statement.ts";

/** One name for a table however it was quoted: `public.orders`, `public."Odd Name"`. */
export function tableName(schema: string, table: string): string {
  return schema === "" ? quoted(table) : `${quoted(schema)}.${quoted(table)}`;
}

/** The same from SQL, `public."orders"`; without a schema as it stands. */
export function tableNameOf(sql: string): string {
  const names = namesIn(sql);
  return tableName(names.length > 1 ? (names.at(-2) ?? "") : "", names.at(-1) ?? "");
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
