import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { formatJsonPath, parseJsonPath, select } from "../../../shared/json/index.ts";

describe("parseJsonPath", () => {
  it.each<[string, (string | number)[]]>([
    ["$", []],
    ["$.a", ["a"]],
    ["$.a.b", ["a", "b"]],
    ["$._x1", ["_x1"]],
    ["$.größe", ["größe"]],
    ["$.😀", ["😀"]],
    ["$[0]", [0]],
    ["$[-1]", [-1]],
    ["$['a-b']", ["a-b"]],
    ['$["a.b"]', ["a.b"]],
    ["$['it\\'s']", ["it's"]],
    ['$["\\u263a"]', ["☺"]],
    ["$['\\n\\\\']", ["\n\\"]],
    ["$ .a [ 'b' ]", ["a", "b"]],
    ["$[''].x", ["", "x"]],
    ["$.a[0]['x'].y", ["a", 0, "x", "y"]],
  ])("%s", (text, path) => {
    expect(parseJsonPath(text)).toEqual(path);
  });

  it.each([
    ["a.b", "must start with $, as in $.a.b"],
    ["", "must start with $"],
    ["$a", 'at character 2 there is "a" instead of . or ['],
    ["$.", "the end instead of a name"],
    ["$.a-b", "['a-b']"],
    ["$..a", "only paths to a single value"],
    ["$.*", "only paths to a single value"],
    ["$[*]", "only paths to a single value"],
    ["$[01]", "instead of ]"],
    ["$[-0]", "a quoted name or an index"],
    ["$[0", "the end instead of ]"],
    ["$['a]", "a quoted name or an index"],
    ["$['\\q']", "is no escape"],
    ["$['\\\"']", "is no escape"],
    ["$[9007199254740992]", "too large"],
    ["$.1a", "a name"],
    ["$[0:1]", "instead of ]"],
    ["$.a ", "the end"],
  ])("refuses %j", (text, message) => {
    expect(() => parseJsonPath(text)).toThrow(message);
  });

  it("reads its own format back, whatever the names", () => {
    const segment = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("a", "'", "\\", ".", "[", "_", "0", "ß") }),
      fc.maxSafeInteger(),
    );
    fc.assert(
      fc.property(fc.array(segment), (path) => {
        const plain = path.map((part) => (part === 0 ? 0 : part));
        expect(parseJsonPath(formatJsonPath(plain))).toEqual(plain);
      }),
    );
  });
});

describe("select", () => {
  const root = { a: [{ b: null }, 2], "": 0, list: [] };

  it.each<[string, unknown]>([
    ["$", root],
    ["$.a[0].b", null],
    ["$.a[-1]", 2],
    ["$.a[-2].b", null],
    ["$['']", 0],
  ])("%s leads to a value", (path, value) => {
    expect(select(parseJsonPath(path), root)).toEqual({ found: true, value });
  });

  it.each([
    ["$.x", '$ is an object without "x"'],
    ["$.a[2]", "$.a is an array of 2 without element 2"],
    ["$.a[-3]", "$.a is an array of 2 without element -3"],
    ["$.a.b", '$.a is an array of 2 without "b"'],
    ["$.a[0].b.c", '$.a[0].b is null without "c"'],
    ["$.a[1][0]", "$.a[1] is a number without element 0"],
    ["$.toString", '$ is an object without "toString"'],
    ["$.a.length", '$.a is an array of 2 without "length"'],
  ])("%s ends before its end", (path, missing) => {
    expect(select(parseJsonPath(path), root)).toEqual({ found: false, missing });
  });
});
