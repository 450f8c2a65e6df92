import { describe, expect, it } from "@jest/globals";
import {
  briefReport,
  type ResourceReport,
  type RolloutReport,
  rolloutFailure,
} from "../../../../shared/kubernetes/index.ts";

const AT = "2026-01-01T00:00:00.000Z";

function resource(name: string, state: ResourceReport["state"]): ResourceReport {
  const moment = { at: AT, state, text: "4 of 5 pods available; pod x: container main: not ready" };
  const missing = state === "ready" ? [] : ["4 of 5 pods available"];
  return {
    resource: name,
    namespace: "shop",
    state,
    missing,
    notes: [],
    timeline: Array(20).fill(moment),
  };
}

function reportOf(resources: readonly ResourceReport[]): RolloutReport {
  return {
    verdict: "cancelled",
    startedAt: AT,
    endedAt: AT,
    seconds: 1,
    counts: { ready: 0, progressing: 0, failing: 0, failed: 0 },
    resources,
    evidence: { logs: [], events: [], unavailable: [] },
  };
}

const many = (count: number, state: ResourceReport["state"]) =>
  Array.from({ length: count }, (_, index) => resource(`deployment/${state}-${index}`, state));

describe("a report for an output", () => {
  it("of a few resources is whole", () => {
    const report = reportOf(many(3, "ready"));
    expect(briefReport(report)).toEqual({ ...report, omitted: 0 });
  });

  it("of a thousand fits into a variable of the environment, the worst first", () => {
    const report = reportOf([
      ...many(990, "ready"),
      ...many(9, "progressing"),
      ...many(1, "failed"),
    ]);
    const brief = briefReport(report);
    expect(JSON.stringify(brief).length).toBeLessThan(61_000);
    expect(brief.resources.slice(0, 10).map(({ state }) => state)).toEqual([
      "failed",
      ...Array(9).fill("progressing"),
    ]);
    expect(brief.resources.length + brief.omitted).toBe(1_000);
    expect(brief.resources.length).toBeGreaterThan(200);
  });
});

describe("the failure of a cancelled rollout", () => {
  it("names five that are not ready, and counts the rest", () => {
    const failure = rolloutFailure(reportOf(many(1_000, "progressing")));
    expect(failure?.cause).toMatch(
      /^Not ready: deployment\/progressing-0: 4 of 5.*And 995 more\.$/s,
    );
    expect(failure?.cause.length).toBeLessThan(500);
  });
});
