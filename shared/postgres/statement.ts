/** Why a text cannot be handed to psql as one statement. */
export class NoStatement extends Error {}

/** Parts of SQL in which nothing has a meaning for psql; what is open does not match as a whole. */
const SKIPPED: readonly (readonly [begin: RegExp, whole: RegExp, name: string])[] = [
  [/--/y, /--[^\n]*/y, "comment"],
  [/[eE]'/y, /[eE]'[^'\\]*(?:(?:''|\\[\s\S])[^'\\]*)*'/y, "quote"],
  [/'/y, /'[^']*(?:''[^']*)*'/y, "quote"],
  [/"/y, /"[^"]*(?:""[^"]*)*"/y, "double quote"],
  [
    /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y,
    /(\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[\s\S]*?\1/y,
    "dollar quote",
  ],
];
/** A dollar sign or an E within or at the end of a name begins nothing. */
const NAME = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const COMMENT_MARK = /\/\*|\*\//g;
/** psql would put the value of a variable of its own there; all of those are in capitals. */
const VARIABLE = /:(?:\{|['"]?[A-Z_][A-Z0-9_]*)/y;
const OVER_STREAMS = /^\s*copy\b[\s\S]*\b(stdin|stdout)\b/i;

/**
 * The text of one statement, without a semicolon at its end, proven to be read by psql as exactly
 * that: every quote, comment and parenthesis closed, and nothing in it that psql itself obeys. An
 * open quote would otherwise swallow whatever is said to psql next.
 *
 * Source: src/fe_utils/psqlscan.l.
 *
 * @throws {NoStatement}
 */
export function statementIn(sql: string): string {
  const open: string[] = [];
  let end: number | undefined;
  let at = 0;
  while (at < sql.length) {
    const skipped = skipAt(sql, at);
    if (skipped !== undefined) {
      if (end !== undefined && !skipped.comment) throw new NoStatement("it is several statements");
      at = skipped.to;
      continue;
    }
    const sign = sql[at] ?? "";
    if (end !== undefined && /[^\s;]/.test(sign)) throw new NoStatement("it is several statements");
    if (sign === "\\") throw new NoStatement("a backslash stands outside of quotes");
    if (sign === ";") end ??= at;
    if (sign === "(") open.push(sign);
    if (sign === ")" && open.pop() === undefined)
      throw new NoStatement("a parenthesis is not opened");
    at += 1;
  }
  if (open.length > 0) throw new NoStatement("a parenthesis is not closed");
  if (OVER_STREAMS.test(sql))
    throw new NoStatement("it copies from or to the session's own streams");
  return end === undefined ? sql : sql.slice(0, end);
}

interface Skipped {
  readonly to: number;
  readonly comment: boolean;
}

/** What begins there that is to be passed over as a whole. */
function skipAt(sql: string, at: number): Skipped | undefined {
  if (sql.startsWith("/*", at)) return { to: endOfComment(sql, at), comment: true };
  for (const [begin, whole, name] of SKIPPED) {
    if (!matchesAt(begin, sql, at)) continue;
    if (!matchesAt(whole, sql, at)) throw new NoStatement(`a ${name} is not closed`);
    return { to: whole.lastIndex, comment: name === "comment" };
  }
  if (sql.startsWith("::", at)) return { to: at + 2, comment: false };
  if (matchesAt(VARIABLE, sql, at)) {
    throw new NoStatement("a colon stands before a name in capitals, as psql's own variables do");
  }
  return matchesAt(NAME, sql, at) ? { to: NAME.lastIndex, comment: false } : undefined;
}

function matchesAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

/** Comments of this kind may hold others. */
function endOfComment(sql: string, at: number): number {
  let depth = 0;
  COMMENT_MARK.lastIndex = at;
  for (;;) {
    const mark = COMMENT_MARK.exec(sql)?.[0];
    if (mark === undefined) throw new NoStatement("a comment is not closed");
    depth += mark === "/*" ? 1 : -1;
    if (depth === 0) return COMMENT_MARK.lastIndex;
  }
}
