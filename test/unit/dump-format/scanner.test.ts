import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { SqlScanner } from "../../../shared/dump-format/sql-scanner.ts";

/** Everything that a scanner tells of a text that comes in pieces of some sizes. */
function told(text: string, sizes: readonly number[]): string[] {
  const events: string[] = [];
  const scanner = new SqlScanner({
    statement: (one) =>
      events.push(
        `statement ${one.line} ${one.code} ${one.strings.join("|")} ${one.bodies.join("|")} @${scanner.position}`,
      ),
    comment: (comment, line) => events.push(`comment ${line} ${comment} @${scanner.position}`),
    metaCommand: (command, line) => events.push(`meta ${line} ${command} @${scanner.position}`),
    copyBegins: (block) => events.push(`copy ${block.line} ${block.table} @${scanner.position}`),
    copyEnds: (block) =>
      events.push(`rows ${block.rows} wrong ${block.wrongRows} @${scanner.position}`),
    carriageReturn: (line) => events.push(`carriage return ${line}`),
  });
  const bytes = Buffer.from(text);
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    scanner.push(bytes.subarray(at, at + size));
    at += size;
  }
  const open = scanner.end();
  events.push(open === undefined ? "end" : `open ${open.what} of line ${open.line}`);
  return events;
}

const words = fc.constantFrom(
  "SELECT 1;",
  "'",
  "''",
  "E'",
  "\\'",
  '"',
  "$$",
  "$a$",
  "$1",
  "--",
  "\n",
  "\r\n",
  "/*",
  "*/",
  ";",
  "\\! id",
  "\\\n",
  "COPY t (a, b) FROM stdin;\n",
  "\\.\n",
  "1\t2\n",
  "(",
  ")",
  "é€😀",
  " x ",
  "a$b",
  "BEGIN ATOMIC",
  "END",
  "\\.",
  "-",
  "/",
  "*",
  "CREATE FUNCTION f() ",
  "SET standard_conforming_strings = off;",
  "CASE",
);

test("what is told does not depend on how the text is cut", () => {
  fc.assert(
    fc.property(
      fc.array(words, { maxLength: 40 }).map((parts) => parts.join("")),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
      (text, sizes) => {
        expect(told(text, sizes)).toEqual(told(text, [1_000_000]));
      },
    ),
    { numRuns: 2000 },
  );
});

test.each<[string, string[]]>([
  ["SELECT 'a;b', \"c;d\", $x$e;'f$x$;", ["SELECT '', \"c;d\", ''; a;b e;'f"]],
  ["SELECT $1, a$b$c; SELECT 2;", ["SELECT $1, a$b$c;  ", "SELECT 2;  "]],
  ["SELECT E'\\';', 'x\\';", ["SELECT E'', ''; \\';|x\\ "]],
  ["SELECT (1; 2);", ["SELECT (1; 2);  "]],
  ["SELECT 1 - -2 /* ; /* ; */ */ / 3;", ["SELECT 1 - -2  / 3;  "]],
])("statements of %j", (text, statements) => {
  const found = told(text, [7]).filter((event) => event.startsWith("statement"));
  expect(found.map((event) => event.replace(/^statement \d+ /, "").replace(/ @\d+$/, ""))).toEqual(
    statements,
  );
});
