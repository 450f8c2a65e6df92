import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  judgeAge,
  judgeSchedule,
  judgeTrend,
  type TrendSample,
} from "../../../shared/backup/index.ts";
import { progressLine } from "../../../shared/backup/progress.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);

describe("age", () => {
  it.each<[string, number, number | undefined, string | undefined]>([
    ["young enough", NOW - HOUR, 2 * HOUR, undefined],
    ["exactly at the limit", NOW - HOUR, HOUR, undefined],
    ["no objective", 0, undefined, undefined],
    ["a clock that is a little off", NOW + 60_000, HOUR, undefined],
    [
      "too old",
      NOW - 26 * HOUR,
      24 * HOUR,
      "The backup shows 2026-11-21T10:00:00.000Z, 1 d 2 h ago: all since then would be lost, and the recovery point objective allows 1 d.",
    ],
    [
      "from the future",
      NOW + 2 * HOUR,
      undefined,
      "The backup says that it is of 2026-11-22T14:00:00.000Z, which is 2 h from now: a clock is wrong.",
    ],
  ])("%s", (_, taken, rpo, what) => {
    expect(judgeAge(taken, NOW, rpo).map((each) => each.what)).toEqual(
      what === undefined ? [] : [what],
    );
  });
});

describe("the schedule", () => {
  const daily = (...days: number[]) => days.map((day) => NOW - day * 24 * HOUR);
  it.each<[string, number[], string[]]>([
    ["too few to know", daily(9, 8, 1), []],
    ["every day", daily(5, 4, 3, 2, 1), []],
    ["a day later than usual", daily(9, 8, 7, 6, 5, 3.5, 3, 2, 1), []],
    ["two missing", daily(9, 8, 7, 6, 3, 2, 1), ["about 2 would have been"]],
    ["none any more", daily(9, 8, 7, 6, 5), ["and now there is no backup, where about 4"]],
  ])("%s", (_, began, words) => {
    const found = judgeSchedule(began, NOW);
    expect(found).toHaveLength(words.length);
    words.forEach((each, at) => {
      expect(found[at]?.what).toContain(each);
    });
  });
});

describe("the trend", () => {
  const sample = (id: number, rows: number, items: Record<string, number> = {}): TrendSample => ({
    ...{ id: `b${id}`, measures: { rows }, items },
  });
  const judge = (rows: number, earlier: number[], tolerance = 50) =>
    judgeTrend(
      sample(99, rows),
      earlier.map((each, at) => sample(at, each)),
      { tolerance },
    ).findings.map(({ weight, what }) => `${weight}: ${what}`);

  it.each<[string, number, number[], string[]]>([
    ["as ever", 1000, [990, 1000, 1010], []],
    ["growing steadily", 1500, [1000, 1100, 1200, 1300, 1400], []],
    ["half of what it was, just allowed", 500, [1000, 1000], []],
    [
      "less than half",
      480,
      [1000, 1000, 1000],
      ["doubt: It has 480 rows, where the 3 before it (median) had 1,000: 52% less."],
    ],
    [
      "one before it",
      1,
      [1000],
      ["doubt: It has 1 rows, where the backup before it had 1,000: 99% less."],
    ],
    ["emptied", 0, [3], ["doubt: It has 0 rows, where the backup before it had 3: 100% less."]],
    ["one odd one among them", 1000, [1000, 1, 1000, 1000], []],
    ["always moving", 200, [100, 1000, 300, 800, 150], []],
    [
      "much more",
      5000,
      [1000, 1000],
      ["note: It has 5,000 rows, where the 2 before it (median) had 1,000."],
    ],
    ["nothing as ever", 0, [0, 0], []],
  ])("%s", (_, rows, earlier, expected) => {
    expect(judge(rows, earlier)).toEqual(expected);
  });

  it("is unknown for the first backup", () => {
    expect(judgeTrend(sample(1, 5), [], { tolerance: 50 })).toEqual({
      findings: [],
      unknown: [
        "Whether its size is what it usually is: there is no earlier backup to compare with.",
      ],
    });
  });

  it("sees a table that shrinks in silence behind others that grow", () => {
    const earlier = [1, 2, 3].map((at) =>
      sample(at, 1000, { "public.orders": 500, "public.tags": 3 }),
    );
    const { findings } = judgeTrend(
      sample(9, 1100, { "public.orders": 40, "public.tags": 0 }),
      earlier,
      { tolerance: 50 },
    );
    expect(findings).toMatchObject([
      {
        subject: "public.orders",
        weight: "doubt",
        what: "public.orders has 40 rows, where the 3 before it (median) had 500: 92% less.",
      },
    ]);
  });

  it("never alarms on what is within the tolerance, and always on a fall to a tenth of what is steady", () => {
    const steady = fc.array(fc.integer({ min: 900, max: 1100 }), { minLength: 1, maxLength: 12 });
    const property = fc.property(steady, fc.integer({ min: 900, max: 1100 }), (earlier, rows) => {
      expect(judge(rows, earlier)).toEqual([]);
      expect(judge(Math.floor(rows / 20), earlier)).toHaveLength(1);
    });
    fc.assert(property);
  });
});

describe("a line of progress", () => {
  const samples = (...bytes: number[]) =>
    bytes.map((each, at) => ({ at: at * 10_000, bytes: each }));
  const line = (given: Partial<Parameters<typeof progressLine>[0]>) =>
    progressLine({
      deed: "Backed up",
      samples: samples(0, 1e9),
      total: undefined,
      isGuess: false,
      parts: [],
      ...given,
    });

  it.each<[Parameters<typeof line>[0], string]>([
    [{}, "Backed up 1 GB, 100 MB/s"],
    [{ total: 4e9, parts: ["dump"] }, "Backed up 1 GB of 4 GB (25%), 100 MB/s, 30 s left: dump"],
    [
      { total: 4e9, isGuess: true },
      "Backed up 1 GB of about 4 GB (25%), 100 MB/s, about 30 s left",
    ],
    [{ total: 5e8, isGuess: true }, "Backed up 1 GB, 100 MB/s"],
    [
      { samples: samples(5e8, 5e8), total: 1e9 },
      "Backed up 500 MB of 1 GB (50%), nothing moves now",
    ],
    [{ parts: ["a", "b", "c", "d", "e"] }, "Backed up 1 GB, 100 MB/s: a, b, c and 2 more"],
    [{ samples: samples(0) }, "Backed up 0 B"],
  ])("%j", (given, expected) => {
    expect(line(given)).toBe(expected);
  });
});
