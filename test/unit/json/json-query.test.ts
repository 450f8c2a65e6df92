import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { FormatError } from "../../../shared/failure/index.ts";
import { parseJsonQuery, selectAll } from "../../../shared/json/index.ts";

const root = {
  kind: "Widget",
  status: {
    phase: "Running",
    replicas: 3,
    nothing: null,
    "a.b/c": "dotted",
    "x-y": "hyphen",
    parts: [
      { name: "a", size: 1, on: true },
      { name: "b", size: 2, on: false },
      { name: "c", size: 3 },
    ],
  },
};

describe("a JSONPath as kubectl writes it", () => {
  it.each<[string, readonly unknown[]]>([
    ["{.kind}", ["Widget"]],
    [".kind", ["Widget"]],
    ["kind", ["Widget"]],
    ["{$.kind}", ["Widget"]],
    ["{.status.replicas}", [3]],
    ["{.status.nothing}", [null]],
    ["{.status.a\\.b/c}", ["dotted"]],
    ["{.status['a.b/c']}", ["dotted"]],
    ['{.status["x-y"]}', ["hyphen"]],
    ["{.status.x-y}", ["hyphen"]],
    ["{.status.parts[0].name}", ["a"]],
    ["{.status.parts[-1].name}", ["c"]],
    ["{.status.parts[3].name}", []],
    ["{.status.parts[*].size}", [1, 2, 3]],
    ["{.status.parts.*.size}", [1, 2, 3]],
    ['{.status.parts[?(@.name=="b")].size}', [2]],
    ["{.status.parts[?(@.name=='b')].size}", [2]],
    ['{.status.parts[?(@.name!="b")].size}', [1, 3]],
    ["{.status.parts[?(@.size>1)].name}", ["b", "c"]],
    ["{.status.parts[?( @.size >= 2 )].name}", ["b", "c"]],
    ["{.status.parts[?(@.size<2)].name}", ["a"]],
    ["{.status.parts[?(@.on==true)].name}", ["a"]],
    ["{.status.parts[?(@.on)].name}", ["a", "b"]],
    ['{.status.parts[?(@.name<"b")].size}', [1]],
    ['{.status.parts[?(@.size=="1")].size}', []],
    ["{.status.phase.more}", []],
    ["{.status.parts.name}", []],
    ["{.constructor}", []],
    ["{.status.parts.length}", []],
    ["{.__proto__}", []],
  ])("%s", (path, values) => {
    expect(selectAll(parseJsonQuery(path), root)).toEqual(values);
  });

  it.each([
    ["", "it names no field"],
    ["{}", "it names no field"],
    ["{.}", "instead of a name"],
    ["{.a", "one expression in one pair of braces"],
    ["{.a} {.b}", "one expression in one pair of braces"],
    ["{..a}", "at character 3"],
    ["{.a[}", "a quoted name, an index, * or ?(...)"],
    ["{.a[0:1]}", "instead of ]"],
    ["{.a['b]}", "a quoted name"],
    ["{.a[?(.b)]}", "instead of @"],
    ["{.a[?(@.b==)]}", "a quoted text, a number, true, false or null"],
    ["{.a[?(@.b=~'x')]}", "instead of )"],
    ["{range .items[*]}", "instead of . or ["],
  ])("not %j", (path, words) => {
    expect(() => parseJsonQuery(path)).toThrow(words);
  });

  it("is read or refused, never worse, whatever the text", () => {
    const piece = fc.constantFrom(
      ".",
      "[",
      "]",
      "?(",
      ")",
      "@",
      "'",
      '"',
      "*",
      "a",
      "\\",
      "=",
      "0",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece).map((all) => `{${all.join("")}}`),
    );
    fc.assert(
      fc.property(text, (path) => {
        try {
          expect(Array.isArray(selectAll(parseJsonQuery(path), root))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
    );
  });
});
