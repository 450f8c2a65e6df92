import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseValuePath, valuesAt } from "../../../shared/helm/index.ts";

describe("a path in values", () => {
  it.each<[string, (string | number)[]]>([
    ["a", ["a"]],
    ["a.b.c", ["a", "b", "c"]],
    ["list[0]", ["list", 0]],
    ["list[2].name", ["list", 2, "name"]],
    ["a[0][1].b", ["a", 0, 1, "b"]],
    ["nodeSelector.kubernetes\\.io/role", ["nodeSelector", "kubernetes.io/role"]],
    ["a\\[0\\]", ["a[0]"]],
    ["a\\\\b", ["a\\b"]],
    ["with space.ü", ["with space", "ü"]],
  ])("%s", (text, steps) => {
    expect(parseValuePath(text)).toEqual(steps);
  });

  it.each(["", ".", "a.", "a..b", ".a", "[0]", "a[x]", "a[-1]", "a[1", "a[0]b", "a[99999]"])(
    "is not %j",
    (text) => {
      expect(() => parseValuePath(text)).toThrow(/./);
    },
  );

  it("leads back to its keys, whatever is in them", () => {
    const key = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 4 }), (keys) => {
        const text = keys.map((one) => one.replace(/[\\.[\]]/g, "\\$&")).join(".");
        expect(parseValuePath(text)).toEqual(keys);
      }),
    );
  });
});

describe("values at paths", () => {
  const made = (lines: Record<string, string>, base: Record<string, unknown> = {}) =>
    valuesAt(
      Object.entries(lines).map(([path, text]) => [parseValuePath(path), text]),
      base,
    );

  it("are put together", () => {
    expect(made({ "a.b": "1", "a.c": "x,y", d: "{e}" })).toEqual({
      a: { b: "1", c: "x,y" },
      d: "{e}",
    });
  });

  it("bring the rest of a list along, which Helm would otherwise lose", () => {
    const base = { hosts: [{ name: "a", port: 1 }, { name: "b" }], other: 1 };
    expect(made({ "hosts[1].name": "c", "hosts[3]": "d" }, base)).toEqual({
      hosts: [{ name: "a", port: 1 }, { name: "c" }, null, "d"],
    });
    expect(base.hosts[1]).toEqual({ name: "b" });
  });

  it("find lists within maps that are there", () => {
    expect(made({ "a.list[0]": "z" }, { a: { list: ["x", "y"], b: 1 } })).toEqual({
      a: { list: ["z", "y"] },
    });
  });
});
