import { describe, expect, it } from "@jest/globals";
import { safeArguments } from "../../../shared/postgres-dump/extra-arguments.ts";
import { parsePattern } from "../../../shared/postgres-dump/pattern.ts";

describe("further arguments of pg_dump", () => {
  it.each([[["--inserts"]], [["--rows-per-insert=5", "-v"]], [["--rows-per-insert", "5"]], [[]]])(
    "%j pass",
    (given) => {
      expect(safeArguments(given)).toEqual(given);
    },
  );

  it.each([
    ["--data-only", /leaves out what the fingerprint holds/],
    ["-s", /leaves out/],
    ["--schema-o", /leaves out/],
    ["-Fc", /an input of the action/],
    ["-tpublic.x", /an input of the action/],
    ["--no-owner", /belongs to restoring/],
    ["--no-sync", /the proof rests on it/],
    ["--snapshot=1", /the proof rests on it/],
    ["--role=x", /options=-c%20role/],
    ["--rows-per-insert", /its value is missing/],
    ["--unheard-of", /not known to leave the proof whole/],
    ["otherdb", /no option/],
    ["-va", /not known/],
  ])("%s is refused, and why", (word, why) => {
    expect(() => safeArguments([word])).toThrow(why);
  });

  it("that are refused are all named at once", () => {
    expect(() => safeArguments(["--data-only", "--inserts", "--clean"])).toThrow(
      /--data-only: .*--clean: /,
    );
  });
});

describe("a name pattern", () => {
  it.each([
    ["Orders", undefined, "^(orders)$"],
    ["public.ord*", "^(public)$", "^(ord.*)$"],
    ['"Odd.Na""me*"', undefined, '^(Odd\\.Na"me\\*)$'],
    ['app."X"?', "^(app)$", "^(X.)$"],
    ["a$b", undefined, "^(a\\$b)$"],
    ["x|y", undefined, "^(x|y)$"],
  ])("%s", (text, schema, name) => {
    expect(parsePattern(text, 2)).toEqual({ text, schema, name });
  });

  it.each([
    ["a.b.c", 2],
    ["a.b", 1],
    ['"open', 2],
    ["a.", 2],
    ["", 1],
  ] as const)("%j cannot be read", (text, most) => {
    expect(() => parsePattern(text, most)).toThrow("A name pattern cannot be read");
  });
});
