import { UserError } from "../failure/index.ts";

/** A name pattern of psql and pg_dump as regular expressions of the server's, anchored. */
export interface NamePattern {
  readonly text: string;
  /** Undefined where the pattern names no schema. */
  readonly schema: string | undefined;
  readonly name: string;
}

/**
 * Reads a pattern: letters outside of double quotes are lower case, `*` stands for any text and `?`
 * for one character there; dots part schema and name.
 *
 * Source: patternToSQLRegex in src/fe_utils/string_utils.c.
 *
 * @throws {UserError} where it has more parts than it may have, or an open quote.
 */
export function parsePattern(text: string, most: 1 | 2): NamePattern {
  const parts = [""];
  let quoted = false;
  const add = (piece: string) => {
    parts[parts.length - 1] += piece;
  };
  const signs = [...text.trim()];
  for (let at = 0; at < signs.length; at += 1) {
    const sign = signs[at] ?? "";
    if (sign === '"') {
      if (quoted && signs[at + 1] === '"') {
        add('"');
        at += 1;
      } else {
        quoted = !quoted;
      }
    } else if (quoted) {
      add(/[|*+?()[\]{}.^$\\]/.test(sign) ? `\\${sign}` : sign);
    } else if (sign === ".") {
      parts.push("");
    } else {
      add(outsideOfQuotes(sign));
    }
  }
  if (quoted || parts.includes("") || parts.length > most) throw unreadable(text, most, quoted);
  const anchored = parts.map((part) => `^(${part})$`);
  const [first = "", second] = anchored;
  return second === undefined
    ? { text, schema: undefined, name: first }
    : { text, schema: first, name: second };
}

function outsideOfQuotes(sign: string): string {
  if (sign === "*") return ".*";
  if (sign === "?") return ".";
  if (sign === "$") return "\\$";
  // As pg_dump does it: other characters keep what they mean in a regular expression.
  return /[A-Z]/.test(sign) ? sign.toLowerCase() : sign;
}

function unreadable(text: string, most: number, quoted: boolean): UserError {
  return new UserError({
    title: "A name pattern cannot be read",
    cause: `${JSON.stringify(text)} ${quoted ? "has an open double quote" : most === 1 ? "is to be the name of a schema, and has several parts or an empty one" : "is to be a name or schema.name, and has too many parts or an empty one"}.`,
    remedy: 'Write orders, public.orders, audit.*, or "Odd.Name" for a name with a dot in it.',
  });
}
