import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { covered, lapses, type Reading } from "../../../shared/availability/lapses.ts";

/** `2 3 1` at 0, 10 and 20. */
const readings = (...counts: number[]): Reading[] =>
  counts.map((ready, index) => ({ at: index * 10, ready }));

describe("lapses", () => {
  it.each([
    ["enough all the time", readings(2, 3, 2), 2, []],
    ["one short of the need", readings(2, 1, 2), 2, [{ from: 10, to: 20, lowest: 1 }]],
    ["short to the end", readings(2, 1), 2, [{ from: 10, to: 100, lowest: 1 }]],
    ["deeper within one lapse", readings(3, 2, 0, 3), 3, [{ from: 10, to: 30, lowest: 0 }]],
    [
      "two lapses",
      readings(1, 0, 1, 0, 1),
      1,
      [
        { from: 10, to: 20, lowest: 0 },
        { from: 30, to: 40, lowest: 0 },
      ],
    ],
    ["a first install", readings(0, 1, 2), 2, []],
    [
      "a first install whose pods go again",
      readings(0, 1, 0),
      1,
      [{ from: 20, to: 100, lowest: 0 }],
    ],
    ["fewer than needed from the start, and no worse", readings(1, 1, 2), 3, []],
    [
      "fewer than needed from the start, and worse",
      readings(1, 0, 1),
      3,
      [{ from: 10, to: 20, lowest: 0 }],
    ],
    ["nothing needed", readings(1, 0), 0, []],
    ["nothing seen", [], 1, []],
  ])("%s", (_, counts, required, expected) => {
    expect(lapses(counts, required, 100)).toEqual(expected);
  });

  it("counts what is missing from the start where users are hurt already", () => {
    expect(lapses(readings(0, 2), 2, 100, true)).toEqual([{ from: 0, to: 10, lowest: 0 }]);
  });

  const counts = fc.array(fc.nat(5), { maxLength: 30 }).map((list) => readings(...list));

  it("are apart, in order, and hold exactly the readings that are too low", () => {
    fc.assert(
      fc.property(counts, fc.nat(5), (list, required) => {
        const found = lapses(list, required, 1_000);
        found.forEach(({ from, to }, index) => {
          expect(from).toBeLessThan(to);
          expect(from).toBeGreaterThanOrEqual(found[index - 1]?.to ?? 0);
        });
        list.forEach(({ at, ready }, index) => {
          const most = Math.max(...list.slice(0, index + 1).map((one) => one.ready));
          const inside = found.some(({ from, to }) => from <= at && at < to);
          expect(inside).toBe(ready < Math.min(required, most));
        });
      }),
    );
  });
});

describe("covered", () => {
  it.each([
    ["nothing", [], 0],
    ["one", [[0, 5]], 5],
    [
      "two apart",
      [
        [0, 5],
        [10, 12],
      ],
      7,
    ],
    [
      "two that overlap",
      [
        [0, 5],
        [3, 9],
      ],
      9,
    ],
    [
      "one within another, out of order",
      [
        [2, 3],
        [0, 10],
      ],
      10,
    ],
  ])("%s", (_, stretches, sum) => {
    expect(covered(stretches.map(([from = 0, to = 0]) => ({ from, to })))).toBe(sum);
  });
});
