import { describe, expect, it } from "@jest/globals";
import { summarize, timeline } from "../../../actions/rollout-wait/summary.ts";
import { type RolloutReport, rolloutFailure } from "../../../shared/kubernetes/index.ts";

const START = Date.parse("2026-03-01T12:00:00Z");
const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

const failed: RolloutReport = {
  verdict: "failed",
  cause: {
    resource: "deployment/web",
    namespace: "shop",
    reason: "CrashLoop",
    message: "deployment/web: container <script> crashed | `x`",
    remedy: "Read the log.",
    firstSeenAt: at(2),
    causeSeenAt: at(2),
  },
  startedAt: at(0),
  endedAt: at(3),
  seconds: 3,
  counts: { ready: 0, progressing: 0, failing: 0, failed: 1 },
  resources: [
    {
      resource: "deployment/web",
      namespace: "shop",
      state: "failed",
      missing: [],
      notes: [],
      cause: { reason: "CrashLoop", message: "crashed" },
      timeline: [
        { at: at(0), state: "progressing", text: "a" },
        { at: at(1), state: "progressing", text: "b" },
        { at: at(2), state: "failed", text: "c" },
      ],
    },
  ],
  evidence: {
    logs: [{ pod: "web-1", container: "main", run: "current", lines: ["```", "no database"] }],
    events: [
      {
        object: "pod/web-1",
        type: "Warning",
        reason: "BackOff",
        message: "a|b",
        count: 2,
        lastAt: at(2),
      },
    ],
    unavailable: ["403: ci may not list events"],
  },
};
const ready: RolloutReport = {
  ...failed,
  verdict: "ready",
  cause: undefined,
  resources: [],
  evidence: { logs: [], events: [], unavailable: [] },
};

describe("the summary of a rollout", () => {
  it("opens with the verdict, then the picture, then the table", () => {
    const text = summarize(failed);
    const places = ["## ❌ The rollout failed after 3 s", "```mermaid\ngantt", "| Resource |"].map(
      (part) => text.indexOf(part),
    );
    expect(places[0]).toBe(0);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
  });

  it("cannot be broken by the words of the cluster", () => {
    const text = summarize(failed);
    expect(text).toContain("container &lt;script&gt; crashed \\| \\`x\\`");
    expect(text).toContain("a\\|b");
    expect(text).toContain("````\n```\nno database\n````");
  });

  it("says what could not be read", () => {
    expect(summarize(failed)).toContain(
      "Not read, and so not part of the evidence:\n\n- 403: ci may not list events",
    );
  });

  it("is short when all is well", () => {
    expect(summarize(ready)).toMatch(/^## ✅ Rolled out after 3 s\n/);
  });

  it("draws a bar for each time in one state", () => {
    expect(timeline(failed).split("\n").slice(3)).toEqual([
      "  section deployment/web",
      `  progressing :active, ${START}, ${START + 2_000}`,
      `  failed :crit, done, ${START + 2_000}, ${START + 3_000}`,
    ]);
  });
});

describe("the failure of a rollout", () => {
  it("is none when all is ready", () => {
    expect(rolloutFailure(ready)).toBeUndefined();
  });

  it("carries cause, remedy and evidence", () => {
    const failure = rolloutFailure(failed);
    expect(failure).toMatchObject({ title: "The rollout failed", remedy: "Read the log." });
    expect(failure?.evidence).toContain("  no database");
    expect(failure?.evidence).toContain("Warning BackOff pod/web-1: a|b (2 times)");
  });

  it("says what is missing where there is no cause", () => {
    const late = {
      ...ready,
      verdict: "timed-out" as const,
      resources: [
        {
          ...failed.resources[0],
          resource: "job/x",
          namespace: "",
          state: "progressing" as const,
          missing: ["0 of 1 completions"],
          notes: [],
          timeline: [],
        },
      ],
    };
    expect(rolloutFailure(late)?.cause).toBe("Not ready: job/x: 0 of 1 completions.");
  });
});
