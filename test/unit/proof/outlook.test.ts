import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { type Measured, outlook } from "../../../shared/proof/index.ts";

const DAY = 86_400_000;
const GB = 1_000_000_000;

describe("the outlook on the time to restore", () => {
  it.each<[string, Measured[], number | undefined, object | undefined]>([
    ["nothing measured", [], 3_600, undefined],
    ["an empty backup", [{ taken: 0, bytes: 0, restoreSeconds: 1 }], 3_600, undefined],
    [
      "one measurement is taken to be in proportion",
      [{ taken: 0, bytes: GB, restoreSeconds: 100 }],
      3_600,
      { secondsPerByte: 1e-7, bytesPerDay: 0, atTwiceTheSize: 200, daysUntilRto: undefined },
    ],
    [
      "growth of a GB a day at 100 s a GB, 10 s of which are always there",
      [1, 2, 3].map((n) => ({ taken: n * DAY, bytes: n * GB, restoreSeconds: 10 + n * 100 })),
      1_310,
      { secondsPerByte: 1e-7, bytesPerDay: GB, atTwiceTheSize: 610, daysUntilRto: 10 },
    ],
    [
      "over the limit already",
      [1, 2].map((n) => ({ taken: n * DAY, bytes: n * GB, restoreSeconds: n * 100 })),
      150,
      { secondsPerByte: 1e-7, bytesPerDay: GB, atTwiceTheSize: 400, daysUntilRto: 0 },
    ],
    [
      "a faster restore of more data is noise",
      [1, 2].map((n) => ({ taken: n * DAY, bytes: n * GB, restoreSeconds: 300 - n * 100 })),
      3_600,
      { secondsPerByte: 5e-8, bytesPerDay: GB, atTwiceTheSize: 200, daysUntilRto: 70 },
    ],
  ])("%s", (_, measured, rto, expected) => {
    const found = outlook(measured, rto);
    if (expected === undefined) return expect(found).toBeUndefined();
    for (const [name, value] of Object.entries(expected)) {
      const got = found?.[name as keyof typeof found];
      if (value === undefined) expect(got).toBeUndefined();
      else expect(got).toBeCloseTo(value as number, 6);
    }
  });

  it("does not depend on the order of the measurements", () => {
    const measured = fc.uniqueArray(
      fc.record({
        taken: fc.integer({ min: 0, max: 1e12 }),
        bytes: fc.integer({ min: 1, max: 1e12 }),
        restoreSeconds: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
      }),
      { minLength: 1, maxLength: 20, selector: ({ taken }) => taken },
    );
    fc.assert(
      fc.property(measured, (points) => {
        const one = outlook(points, 3_600);
        const other = outlook(points.toReversed(), 3_600);
        expect(other?.atTwiceTheSize).toBeCloseTo(one?.atTwiceTheSize ?? Number.NaN, 3);
        expect(one?.secondsPerByte).toBeGreaterThan(0);
        expect(one?.daysUntilRto ?? 0).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
