import { randomBytes } from "node:crypto";

/** A name as SQL writes it, whatever it holds: `"public"`, `"a ""b"""`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** `"public"."orders"`. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A text as SQL writes it, for servers with `standard_conforming_strings` on (every session has). */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A text between dollar signs, in which nothing has a meaning for whoever reads the SQL. */
export function dollarQuoted(text: string): string {
  let tag: string;
  do tag = `$sw${randomBytes(6).toString("hex")}$`;
  while (text.includes(tag));
  return `${tag}${text}${tag}`;
}

const PLAIN = /^(?:[^'"$\\:;]|::|'(?:[^'\\]|'')*'|"(?:[^"]|"")*")*$/;

/**
 * Whether psql passes a statement on as it is: one statement, without anything that has a meaning
 * for psql itself, and with every quote closed.
 */
export function isPlain(sql: string): boolean {
  return !sql.includes("/*") && PLAIN.test(sql);
}
