import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { NoStatement, statementIn } from "../../../shared/postgres/statement.ts";

describe("one statement", () => {
  it.each([
    "SELECT 1",
    "SELECT a::text, b [1:2], c[lo:hi] FROM t WHERE x := 1",
    "SELECT 'it''s; \\! id' AS \"a \"\" ; \\ b\"",
    "SELECT E'a\\'; b', e'\\\\'",
    "SELECT $$ ' ; \\ ( $$, $tag$ $$ ; $tag$, $1",
    "SELECT name$with$dollars FROM t",
    "SELECT 1 -- it's (open; \\",
    "SELECT /* ( ; ' /* nested \\ */ \" */ 1",
    "SELECT (1 + (2))",
    "SELECT U&'\\0041'",
    "SELECT 'the'\n'rest'",
  ])("passes: %s", (sql) => {
    expect(statementIn(sql)).toBe(sql);
  });

  it.each([
    ["SELECT 1;", "SELECT 1"],
    ["SELECT 1 ; ;\n -- done", "SELECT 1 "],
    ["SELECT ';';", "SELECT ';'"],
  ])("loses the semicolon at its end: %s", (sql, expected) => {
    expect(statementIn(sql)).toBe(expected);
  });

  it.each([
    ["SELECT 1; DROP TABLE t", "several statements"],
    ["SELECT 1; SELECT 'x'", "several statements"],
    ["SELECT 1 \\! id", "backslash"],
    ["\\copy t to program 'id'", "backslash"],
    ["SELECT 'open", "quote is not closed"],
    ["SELECT E'open\\'", "quote is not closed"],
    ['SELECT "open', "double quote is not closed"],
    ["SELECT $a$ open $b$", "dollar quote is not closed"],
    ["SELECT /* /* */ 1", "comment is not closed"],
    ["SELECT (1", "parenthesis is not closed"],
    ["SELECT 1)", "parenthesis is not opened"],
    ["SELECT :HOST", "colon"],
    ["SELECT :'PORT'", "colon"],
    ["SELECT :{?HOST}", "colon"],
    ["COPY t FROM STDIN", "copies"],
    ["copy (select 1) to stdout", "copies"],
  ])("refuses: %s", (sql, why) => {
    expect(() => statementIn(sql)).toThrow(NoStatement);
    expect(() => statementIn(sql)).toThrow(why);
  });

  it("never lets a quoted text out of its quotes, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, name) => {
        const literal = `'${text.replaceAll("'", "''")}'`;
        const identifier = `"${name.replaceAll('"', '""')}"`;
        const sql = `SELECT ${literal} AS ${identifier}`;
        expect(statementIn(`${sql};`)).toBe(sql);
      }),
    );
  });

  it("gives no text with anything outside of quotes that psql obeys", () => {
    const piece = fc.constantFrom(
      ...["'", '"', "\\", ";", "(", ")", "$$", "$a$", "--", "/*", "*/", "\n", "E'", "x", " ", ":A"],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let statement: string;
        try {
          statement = statementIn(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(NoStatement);
          return;
        }
        // Followed by what a session says next, it is still all there is.
        expect(() => statementIn(`${statement}\n; \\echo mark`)).toThrow(/backslash|several/);
      }),
    );
  });
});
