import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { dependents, select } from "../../testbed/order.ts";

const pieces = [
  { name: "proxy", needs: ["api"] },
  { name: "api", needs: ["store"] },
  { name: "store", needs: ["machine"] },
  { name: "machine", needs: [] },
  { name: "registry", needs: [] },
];
const groups = { cluster: ["proxy", "api"] };
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

describe("the order in which pieces are brought up", () => {
  it.each([
    [["api"], ["machine", "store", "api"]],
    [["cluster"], ["machine", "store", "api", "proxy"]],
    [
      ["registry", "store"],
      ["registry", "machine", "store"],
    ],
    [[], ["machine", "store", "api", "proxy", "registry"]],
    [
      ["api", "api", "store"],
      ["machine", "store", "api"],
    ],
  ])("for %j is %j", (wanted, expected) => {
    expect(names(select(pieces, groups, wanted))).toEqual(expected);
  });

  it("puts every piece after all that it needs, whatever is wanted", () => {
    const wanted = fc.subarray([...names(pieces), "cluster"]);
    fc.assert(
      fc.property(wanted, (wanted) => {
        const ordered = select(pieces, groups, wanted);
        for (const [index, piece] of ordered.entries()) {
          const before = names(ordered.slice(0, index));
          expect(before).toEqual(expect.arrayContaining(piece.needs));
        }
      }),
    );
  });

  it("names what there is, when asked for what there is not", () => {
    expect(() => select(pieces, groups, ["databse"])).toThrow(
      'The test bed has no "databse". It has: api, cluster, machine, proxy, registry, store.',
    );
  });

  it("tells a circle of needs from an order", () => {
    const circle = [
      { name: "a", needs: ["b"] },
      { name: "b", needs: ["a"] },
    ];
    expect(() => select(circle, {}, ["a"])).toThrow("in a circle: a -> b -> a");
  });
});

describe("the dependents of a piece", () => {
  it.each([
    [["machine"], ["api", "proxy", "store"]],
    [["proxy"], []],
    [["registry", "api"], ["proxy"]],
    [[], []],
  ])("%j are %j", (given, expected) => {
    expect([...dependents(pieces, given)].sort()).toEqual(expected);
  });
});
