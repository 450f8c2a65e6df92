import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  type Assessment,
  judge,
  nextLook,
  type Problem,
  sightings,
} from "../../../shared/kubernetes/verdict/verdict.ts";

const problem = (key: string, grace: number): Problem => ({
  key,
  grace,
  reason: "NotReady",
  message: key,
  remedy: "",
});
const broken = (...problems: Problem[]): Assessment => ({
  ready: false,
  missing: ["m"],
  notes: [],
  problems,
});

describe("judgement", () => {
  it("waits for the grace to end, and not a moment longer", () => {
    const assessment = broken(problem("a", 1_000));
    const seen = sightings(new Map(), assessment.problems, 0);
    expect(judge(assessment, seen, 999)).toMatchObject({ state: "failing", graceLeft: 1 });
    expect(judge(assessment, seen, 1_000)).toMatchObject({
      state: "failed",
      cause: { since: 0, certainAt: 1_000 },
    });
    expect(nextLook(assessment, seen, 400)).toBe(1_000);
  });

  it("forgets a problem that went away", () => {
    const again = [problem("a", 1_000)];
    const first = sightings(new Map(), again, 0);
    const healed = sightings(first, [], 500);
    const second = sightings(healed, again, 900);
    expect(judge(broken(...again), second, 1_500).state).toBe("failing");
  });

  it("remembers when a problem that lasts was first seen", () => {
    const lasting = [problem("a", 1_000)];
    const first = sightings(new Map(), lasting, 0);
    expect(sightings(first, lasting, 700)).toEqual(new Map([["a", 0]]));
  });

  it("takes the problem that was certain first for the cause", () => {
    const problems = [problem("slow", 5_000), problem("quick", 0)];
    const verdict = judge(
      broken(...problems),
      new Map([
        ["slow", 0],
        ["quick", 3_000],
      ]),
      3_000,
    );
    expect(verdict).toMatchObject({ state: "failed", cause: { key: "quick" } });
  });

  it("never fails by a problem that only the deadline ends", () => {
    const endless = broken(problem("a", Infinity));
    expect(judge(endless, new Map([["a", 0]]), 1e12)).toMatchObject({
      state: "failing",
      graceLeft: Infinity,
    });
    expect(nextLook(endless, new Map([["a", 0]]), 1)).toBeUndefined();
  });

  it("fails exactly when some grace is over, whatever the problems", () => {
    const graces = fc.array(
      fc.record({
        grace: fc.integer({ min: 0, max: 1e6 }),
        since: fc.integer({ min: 0, max: 1e6 }),
      }),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(graces, fc.integer({ min: 0, max: 3e6 }), (parts, now) => {
        const problems = parts.map(({ grace }, index) => problem(String(index), grace));
        const seen = new Map(parts.map(({ since }, index) => [String(index), since]));
        const over = parts.some(({ grace, since }) => since + grace <= now);
        expect(judge(broken(...problems), seen, now).state).toBe(over ? "failed" : "failing");
      }),
    );
  });
});
