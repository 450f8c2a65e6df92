import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { merged, patchBetween } from "../../../shared/release/merge.ts";

type Tree = Record<string, unknown>;
const merge = (live: unknown, previous: unknown, desired: unknown, strategic = true) =>
  merged({ live, previous, desired }, strategic);

describe("a client-side apply", () => {
  it.each<[string, unknown, unknown, unknown, unknown]>([
    ["sets what is asked for", { a: 1, b: 2 }, {}, { a: 3 }, { a: 3, b: 2 }],
    ["takes away what is asked for no more", { a: 1, b: 2 }, { a: 1 }, {}, { b: 2 }],
    ["leaves to others what was never asked for", { b: 2 }, {}, {}, { b: 2 }],
    ["takes away what is asked to be null", { a: 1 }, {}, { a: null }, {}],
    [
      "merges containers by their names",
      { containers: [{ name: "a", image: "1", tty: true }, { name: "sidecar" }] },
      { containers: [{ name: "a", image: "1" }] },
      { containers: [{ name: "a", image: "2" }] },
      { containers: [{ name: "a", image: "2", tty: true }, { name: "sidecar" }] },
    ],
    [
      "takes a container away that is asked for no more",
      { containers: [{ name: "a" }, { name: "b" }] },
      { containers: [{ name: "a" }, { name: "b" }] },
      { containers: [{ name: "a" }] },
      { containers: [{ name: "a" }] },
    ],
    [
      "replaces lists without names",
      { args: ["a"] },
      { args: ["a"] },
      { args: ["b"] },
      { args: ["b"] },
    ],
  ])("%s", (_, live, previous, desired, after) => {
    expect(merge(live, previous, desired)).toEqual(after);
  });

  it("replaces lists of custom resources as a whole", () => {
    const list = (...names: string[]) => ({ containers: names.map((name) => ({ name })) });
    expect(merge(list("a", "b"), {}, list("a"), false)).toEqual(list("a"));
  });
});

describe("a merge patch between two objects", () => {
  const value = fc.jsonValue({ maxDepth: 3 }).filter((one) => one !== null);
  const tree = fc.dictionary(fc.constantFrom("a", "b", "c"), value);
  const apply = (target: unknown, patch: unknown): unknown => {
    if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
    const from =
      typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
    const result: Tree = { ...from };
    for (const [key, one] of Object.entries(patch)) {
      if (one === null) delete result[key];
      else result[key] = apply(result[key], one);
    }
    return result;
  };
  /** A merge patch cannot say null. */
  const sayable = (one: unknown): boolean =>
    typeof one !== "object" ||
    (one !== null && (Array.isArray(one) || Object.values(one).every(sayable)));

  it("makes one of the other", () => {
    fc.assert(
      fc.property(tree.filter(sayable), tree.filter(sayable), (before, after) => {
        expect(apply(before, patchBetween(before, after))).toEqual(after);
      }),
    );
  });
});
