import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  judgeKeep,
  type KeepCandidate,
  type KeepSettings,
  parseKeep,
} from "../../../shared/backup/keep.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 22, 12);
const none: KeepSettings = { last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

function candidate(id: string, began: number, given: Partial<KeepCandidate> = {}): KeepCandidate {
  return {
    ...{ id, began, touched: began, isComplete: true, proven: undefined, isDamaged: false },
    ...{ lockedUntil: undefined, unknown: undefined, ...given },
  };
}

/** Of so many days before today, at noon, oldest first. */
const days = (count: number) =>
  Array.from({ length: count }, (_, at) =>
    candidate(`d${count - 1 - at}`, NOW - (count - 1 - at) * DAY),
  );

const keptOf = (backups: readonly KeepCandidate[], settings: Partial<KeepSettings>) =>
  judgeKeep(backups, { ...none, ...settings }, NOW).filter(({ keep }) => keep);

const ids = (backups: readonly KeepCandidate[], settings: Partial<KeepSettings>) =>
  keptOf(backups, settings).map(({ id }) => id);

describe("clocks that are wrong", () => {
  const future = candidate("future", NOW + 400 * DAY);

  it("one of the future stays, and takes nobody's place", () => {
    expect(ids([...days(3), future], { last: 1 })).toEqual(["d0", "future"]);
    expect(keptOf([future], { last: 1 })[0]?.reasons).toEqual(["of the future: a clock was wrong"]);
  });

  it("what this run wrote stays, though others look newer", () => {
    const kept = judgeKeep(days(3), { ...none, last: 1 }, NOW, "d2").filter(({ keep }) => keep);
    expect(kept.map(({ id }) => id)).toEqual(["d2", "d0"]);
  });
});

describe("what is kept by the rules", () => {
  it.each<[string, readonly KeepCandidate[], Partial<KeepSettings>, string[]]>([
    ["the last three", days(9), { last: 3 }, ["d2", "d1", "d0"]],
    ["one a day", [...days(3), candidate("again", NOW - HOUR)], { daily: 2 }, ["d1", "d0"]],
    ["more than there are", days(2), { daily: 9 }, ["d1", "d0"]],
    // The 22nd is a Sunday: weeks end with it.
    ["one a week", days(16), { weekly: 3 }, ["d14", "d7", "d0"]],
    ["one a month", days(60), { monthly: 3 }, ["d53", "d22", "d0"]],
    ["one a year", days(700), { yearly: 3 }, ["d691", "d326", "d0"]],
    [
      "one an hour",
      [candidate("a", NOW - 70 * 60_000), candidate("b", NOW - 65 * 60_000), candidate("c", NOW)],
      { hourly: 2 },
      ["b", "c"],
    ],
    [
      "periods without any do not count",
      [candidate("old", NOW - 90 * DAY), candidate("new", NOW)],
      { daily: 2 },
      ["old", "new"],
    ],
    [
      "grandfather, father and son",
      days(400),
      { daily: 3, weekly: 2, monthly: 2, yearly: 2 },
      ["d326", "d22", "d7", "d2", "d1", "d0"],
    ],
  ])("%s", (_, backups, settings, expected) => {
    expect(ids(backups, settings)).toEqual(expected);
  });

  it("tells why", () => {
    expect(keptOf(days(9), { last: 1, weekly: 2 })).toEqual([
      { id: "d7", keep: true, reasons: ["weekly 2 of 2 (2026-W46)"] },
      { id: "d0", keep: true, reasons: ["the newest", "last 1 of 1", "weekly 1 of 2 (2026-W47)"] },
    ]);
  });

  it("knows the weeks at the turn of years", () => {
    const at = (iso: string) => candidate(iso, Date.parse(iso));
    const later = Date.UTC(2028, 0);
    const week = (iso: string) =>
      judgeKeep([at(iso)], { ...none, weekly: 1 }, later)[0]?.reasons.at(-1);
    expect(
      ["2027-01-03T23:00Z", "2027-01-04T00:00Z", "2024-12-30T00:00Z", "2026-01-01T00:00Z"].map(
        week,
      ),
    ).toEqual(
      ["2026-W53", "2027-W01", "2025-W01", "2026-W01"].map((name) => `weekly 1 of 1 (${name})`),
    );
  });
});

describe("what is never deleted", () => {
  const old = NOW - 100 * DAY;
  it.each<[string, Partial<KeepCandidate>, string]>([
    ["the last proven", { proven: "full" }, "the last proven at tier full"],
    ["the locked", { lockedUntil: NOW + 1 }, "locked until 2026-11-22T12:00:00.001Z"],
    [
      "what may still be written",
      { isComplete: false, touched: NOW - DAY },
      "not finished, and may still be written",
    ],
    ["the unknown", { unknown: "its manifest cannot be read" }, "its manifest cannot be read"],
  ])("%s", (_, given, why) => {
    const kept = keptOf([candidate("it", old, given), ...days(9)], { last: 1 });
    expect(kept).toMatchObject([{ id: "it", reasons: [why] }, { id: "d0" }]);
  });

  it("the last proven at each tier, not only the last proven at all", () => {
    const backups = days(9).map((each, at) => ({
      ...each,
      proven:
        at === 1
          ? ("full" as const)
          : at === 3
            ? ("data" as const)
            : at < 6
              ? ("integrity" as const)
              : undefined,
    }));
    expect(keptOf(backups, { last: 1 }).map(({ id, reasons }) => `${id}: ${reasons[0]}`)).toEqual([
      "d7: the last proven at tier full",
      "d5: the last proven at tier data",
      "d3: the last proven at tier integrity",
      "d0: the newest",
    ]);
  });

  it("a sound one in whose place a damaged one would stand", () => {
    const backups = days(3).map((each) => ({ ...each, isDamaged: each.id !== "d2" }));
    expect(ids(backups, { last: 1 })).toEqual(["d2", "d0"]);
  });

  it("but an unfinished one that is surely dead, and a lock that is over", () => {
    const backups = [
      candidate("dead", old, { isComplete: false }),
      candidate("free", old, { lockedUntil: NOW - 1 }),
    ];
    expect(ids([...backups, ...days(1)], { last: 1 })).toEqual(["d0"]);
  });
});

describe("whatever there is and whatever the rules", () => {
  const tier = fc.option(fc.constantFrom("integrity" as const, "data" as const, "full" as const), {
    nil: undefined,
  });
  const any = fc.record({
    began: fc.integer({ min: NOW - 900 * DAY, max: NOW }),
    isComplete: fc.boolean(),
    ...{ proven: tier, isDamaged: fc.boolean() },
    lockedUntil: fc.option(fc.integer({ min: NOW - DAY, max: NOW + DAY }), { nil: undefined }),
  });
  const series = fc
    .array(any, { maxLength: 40 })
    .map((all) => all.map(({ began, ...given }, at) => candidate(`b${at}`, began, given)));
  const count = fc.nat({ max: 5 });
  const rules = fc.record({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
  });

  it("the newest, the last proven and the locked stay; more rules never keep less; each has its reason", () => {
    const property = fc.property(series, rules, (backups, settings) => {
      const decisions = judgeKeep(backups, settings, NOW);
      const stays = new Set(decisions.filter(({ keep }) => keep).map(({ id }) => id));
      const complete = backups.filter(({ isComplete }) => isComplete);
      const lastOf = (some: readonly KeepCandidate[]) =>
        Math.max(...some.map(({ began }) => began));
      const isKept = (some: readonly KeepCandidate[]) =>
        some.length === 0 || some.some(({ id, began }) => began === lastOf(some) && stays.has(id));
      expect(isKept(complete)).toBe(true);
      expect(isKept(complete.filter(({ proven }) => proven === "full"))).toBe(true);
      expect(isKept(complete.filter(({ proven }) => proven !== undefined))).toBe(true);
      for (const { id, lockedUntil = 0 } of backups)
        if (lockedUntil > NOW) expect(stays).toContain(id);
      expect(Math.min(complete.length, settings.last)).toBeLessThanOrEqual(stays.size);
      for (const { keep, reasons } of decisions) expect(keep).toBe(reasons.length > 0);
      const more = judgeKeep(backups, { ...settings, daily: settings.daily + 1 }, NOW);
      for (const { id, keep } of more) if (stays.has(id)) expect(keep).toBe(true);
    });
    fc.assert(property, { numRuns: 300 });
  });

  it("deciding again on what stayed deletes no more", () => {
    const property = fc.property(series, rules, (backups, settings) => {
      const stay = judgeKeep(backups, settings, NOW)
        .filter(({ keep }) => keep)
        .map(({ id }) => id);
      const left = backups.filter(({ id }) => stay.includes(id));
      expect(judgeKeep(left, settings, NOW).every(({ keep }) => keep)).toBe(true);
    });
    fc.assert(property, { numRuns: 300 });
  });
});

describe("the rules as text", () => {
  it.each<[string, Partial<KeepSettings> | undefined]>([
    ["all", undefined],
    [
      "last=3 daily=7 weekly=5 monthly=12 yearly=3",
      { last: 3, daily: 7, weekly: 5, monthly: 12, yearly: 3 },
    ],
    ["keep-daily:7,\n hourly=24", { daily: 7, hourly: 24 }],
    ["last=1 daily=0", { last: 1 }],
  ])("%j", (text, expected) => {
    expect(parseKeep(text)).toEqual(expected && { ...none, ...expected });
  });

  it.each([
    "",
    "7",
    "daily",
    "daily=-1",
    "daily=7 daily=8",
    "dayly=7",
    "last=0",
    "all last=1",
    "last=99999999",
  ])("%j is none", (text) => {
    expect(() => parseKeep(text)).toThrow("No rule of retention");
  });
});
