import { namesIn } from "./copy-statement.ts";

/** What begins an element of CREATE TABLE that is no column. */
const NO_COLUMN = /^(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN|EXCLUDE|LIKE)\b/i;

/**
 * The columns of a CREATE TABLE. Undefined where it inherits some, or is made from a type: those
 * are not written down.
 */
export function columnsIn(code: string): ReadonlySet<string> | undefined {
  if (/\)\s*INHERITS\s*\(/i.test(code) || /\bPARTITION\s+OF\b|\sOF\s/i.test(code)) return undefined;
  const open = openingIn(code);
  if (open === undefined) return undefined;
  const columns = new Set<string>();
  let depth = 0;
  let start = open + 1;
  let quote = "";
  for (let at = open; at < code.length; at++) {
    const char = code[at] ?? "";
    if (quote !== "") {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    if (quote !== "" || !(depth === 0 || (depth === 1 && char === ","))) continue;
    const element = code.slice(start, at).trim();
    start = at + 1;
    const name = NO_COLUMN.test(element) ? undefined : namesIn(element)[0];
    if (name !== undefined) columns.add(name);
    if (depth === 0) return columns;
  }
  return undefined;
}

/** The parenthesis behind the table's name. */
function openingIn(code: string): number | undefined {
  let quoted = false;
  for (let at = 0; at < code.length; at++) {
    if (code[at] === '"') quoted = !quoted;
    else if (code[at] === "(" && !quoted) return at;
  }
  return undefined;
}
