import { tableNameOf } from "./table-name.ts";

/** A table or sequence that a statement makes. */
export interface Created {
  readonly kind: "table" | "sequence";
  readonly name: string;
  /** Whether it holds rows itself: partitioned tables do not. */
  readonly holdsRows: boolean;
}

const NAME = '((?:"[^"]*"|[^\\s"(;])+)';
const SEQUENCE = new RegExp(
  `^CREATE\\s+(?:UNLOGGED\\s+)?SEQUENCE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${NAME}`,
  "i",
);
const TABLE = new RegExp(
  `^CREATE\\s+(?:UNLOGGED\\s+)?TABLE\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?${NAME}`,
  "i",
);
const IDENTITY = new RegExp(`\\bGENERATED\\b.*\\bSEQUENCE\\s+NAME\\s+${NAME}`, "is");

/** What a statement creates that has rows or a value. */
export function createdIn(code: string): Created | undefined {
  const sequence =
    SEQUENCE.exec(code) ?? (/^ALTER\s+TABLE\b/i.test(code) ? IDENTITY.exec(code) : null);
  if (sequence !== null) {
    return { kind: "sequence", name: tableNameOf(sequence[1] ?? ""), holdsRows: false };
  }
  const table = TABLE.exec(code);
  if (table === null) return undefined;
  const holdsRows = !/\bPARTITION\s+BY\s+(RANGE|LIST|HASH)\s*\(/i.test(code);
  return { kind: "table", name: tableNameOf(table[1] ?? ""), holdsRows };
}

/** Where an INSERT puts how many rows; undefined where it has no name. */
export function insertedIn(code: string): { table: string; rows: number } | undefined {
  const target = /^INSERT\s+INTO\s+((?:"[^"]*"|[^\s"(])+)/i.exec(code)?.[1];
  if (target === undefined) return undefined;
  return { table: tableNameOf(target), rows: rowsOf(code) };
}

/** The lists of values of an INSERT; its strings are empty here, so parentheses count. */
function rowsOf(code: string): number {
  const values = /\bVALUES\b/i.exec(code);
  if (values === null) return 0;
  if (/\bDEFAULT\s+VALUES\b/i.test(code)) return 1;
  let rows = 0;
  let depth = 0;
  for (let at = values.index + 6; at < code.length; at++) {
    const char = code.charCodeAt(at);
    if (char === 40) {
      if (depth === 0) rows += 1;
      depth += 1;
    } else if (char === 41) depth -= 1;
  }
  return rows;
}
