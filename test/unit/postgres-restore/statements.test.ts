import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { type Piece, StatementReader } from "../../../shared/postgres-restore/dump/statements.ts";

/** All pieces of a dump, its bytes given in parts; rows that follow one another as one. */
function piecesOf(dump: string, cuts: readonly number[] = [], set: object = {}): Piece[] {
  const reader = Object.assign(new StatementReader(), set);
  const bytes = Buffer.from(dump);
  const ends = [...cuts, bytes.length].sort((a, b) => a - b);
  const pieces: Piece[] = [];
  let from = 0;
  for (const end of ends) {
    pieces.push(...reader.read(bytes.subarray(from, end)));
    from = end;
  }
  pieces.push(...reader.read(Buffer.alloc(0), true));
  return joined(pieces);
}

function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  for (const piece of pieces) {
    const before = result.at(-1);
    if (piece.kind === "rows" && before?.kind === "rows") {
      result[result.length - 1] = {
        kind: "rows",
        bytes: Buffer.concat([before.bytes, piece.bytes]),
      };
    } else result.push(piece);
  }
  return result;
}

function told(pieces: readonly Piece[]): string[] {
  return pieces.map((piece) => {
    if (piece.kind === "rows") return `rows ${piece.bytes}`;
    return "text" in piece
      ? `${piece.kind} ${piece.line} ${piece.text}`
      : `${piece.kind} ${piece.line}`;
  });
}

const DUMP = `\uFEFF--
-- PostgreSQL database dump
--

\\restrict abc
SET client_encoding = 'UTF8';
/* a /* nested; */ ' */ SELECT 'it''s; \\! no', E'a\\'; \\! b', "na""me;", $$;\\! $$, $a$ $b$ ; $a$ ;
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END;
COPY public.t (a, b) FROM stdin;
1\t\\.
\\.x
\\N\t;'
\\.

CREATE TABLE a$b$c (d int); COPY e FROM stdin;
\\.
SELECT 1;
\\! touch /tmp/x
`;

const EXPECTED = [
  "meta 5 \\restrict abc",
  "statement 6 SET client_encoding = 'UTF8';",
  `statement 7 SELECT 'it''s; \\! no', E'a\\'; \\! b', "na""me;", $$;\\! $$, $a$ $b$ ; $a$ ;`,
  "statement 8 CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; SELECT 2; END;",
  "statement 9 COPY public.t (a, b) FROM stdin;",
  "rows 1\t\\.\n\\.x\n\\N\t;'\n",
  "rows-end 13",
  "statement 15 CREATE TABLE a$b$c (d int);",
  "statement 15 COPY e FROM stdin;",
  "rows-end 16",
  "statement 17 SELECT 1;",
  "meta 18 \\! touch /tmp/x",
];

describe("a plain dump, read as psql reads it", () => {
  test("statements, meta-commands and rows, each on its line", () => {
    expect(told(piecesOf(DUMP))).toEqual(EXPECTED);
  });

  test("wherever its bytes are cut", () => {
    const length = Buffer.byteLength(DUMP);
    for (let cut = 0; cut <= length; cut += 1) {
      expect(told(piecesOf(DUMP, [cut]))).toEqual(EXPECTED);
    }
    fc.assert(
      fc.property(fc.array(fc.nat(length)), (cuts) => {
        expect(told(piecesOf(DUMP, cuts))).toEqual(EXPECTED);
      }),
    );
  });

  test("a backslash within a statement is a command as well", () => {
    expect(told(piecesOf("SELECT 1 \\! touch x\n;SELECT 2;"))).toEqual([
      "meta 1 \\! touch x",
      "statement 2 SELECT 2;",
    ]);
  });

  test("what ends too early is told", () => {
    expect(told(piecesOf("SELECT 1;\nSELECT 'a\n"))).toEqual(["statement 1 SELECT 1;", "cut 2"]);
    expect(told(piecesOf("SELECT 1;\nSELECT 2"))).toEqual(["statement 1 SELECT 1;", "cut 2"]);
    expect(told(piecesOf("COPY t FROM stdin;\n1\n2\n"))).toEqual([
      "statement 1 COPY t FROM stdin;",
      "rows 1\n2\n",
      "cut 4",
    ]);
    expect(told(piecesOf("SELECT 1;\n-- the end"))).toEqual(["statement 1 SELECT 1;"]);
  });

  test("backslashes in quotes, as older servers read them", () => {
    const dump = "SELECT 'a\\'; SELECT 2;'; SELECT 3;";
    expect(told(piecesOf(dump, [], { escapes: true }))).toEqual([
      "statement 1 SELECT 'a\\'; SELECT 2;';",
      "statement 1 SELECT 3;",
    ]);
  });

  test("characters of two bytes whose second is a quote or a backslash", () => {
    const reader = Object.assign(new StatementReader(), { wide: true });
    const bytes = Buffer.from("SELECT '\x95\\'; SELECT 2;", "latin1");
    expect(told([...reader.read(bytes, true)])).toHaveLength(2);
  });

  test("line ends of Windows", () => {
    expect(told(piecesOf("COPY t FROM stdin;\r\n1\r\n\\.\r\nSELECT 1;\r\n"))).toEqual([
      "statement 1 COPY t FROM stdin;",
      "rows 1\r\n",
      "rows-end 3",
      "statement 4 SELECT 1;",
    ]);
  });
});
