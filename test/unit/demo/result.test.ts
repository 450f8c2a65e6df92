import { describe, expect, it } from "@jest/globals";
import { page } from "../../../demo/report/page.ts";
import {
  type FaultResult,
  podSpans,
  problemsOf,
  toJson,
  trafficBetween,
  verdictSeconds,
} from "../../../demo/result.ts";
import { readTallies, type Tally } from "../../../demo/traffic.ts";

const GOOD: FaultResult = {
  fault: "image",
  version: "1.1.0",
  story: "its image is missing",
  cause: "deployment/quickstart: image not found",
  seen: "ErrImagePull",
  seenAt: 3,
  verdictAt: 3.6,
  endedAt: 5,
  caught: true,
  rolledBack: true,
  traffic: {
    requests: 200,
    failed: 0,
    failures: [],
    slowestMs: 12,
    versions: { "1.0.0": 200 },
    beats: [{ at: 1, answered: 13, failed: 0 }],
  },
  steps: [{ name: "upgrade and wait", from: 1, to: 5, passed: false }],
  pods: [
    {
      name: "quickstart-abc-x1",
      version: "1.1.0",
      states: [{ state: "ErrImagePull", ready: false, from: 2, to: 4 }],
    },
  ],
};

describe("the judgement on a fault", () => {
  it("finds nothing wrong with one that was caught in time", () => {
    expect(problemsOf(GOOD)).toEqual([]);
  });

  it.each([
    ["the workflow passed", { caught: false }, /did not fail/],
    ["no verdict was printed", { verdictAt: undefined }, /no verdict/],
    ["the API showed nothing", { seenAt: undefined }, /never showed/],
    ["the release stayed", { rolledBack: false }, /not rolled back/],
    ["the verdict was slow", { verdictAt: 5.01 }, /2\.0 s after/],
    [
      "requests failed",
      { traffic: { ...GOOD.traffic, failed: 2, failures: ["ECONNRESET"] } },
      /2 of 200.*ECONNRESET/,
    ],
    ["nobody asked", { traffic: { ...GOOD.traffic, requests: 0 } }, /no request/],
  ])("says so when %s", (_, change, words) => {
    const problems = problemsOf({ ...GOOD, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(words);
  });

  it("takes a verdict before its own sighting for one at the same time", () => {
    expect(verdictSeconds({ ...GOOD, verdictAt: 2.9 })).toBe(0);
  });

  it("becomes one line of JSON", () => {
    const line = toJson([GOOD, { ...GOOD, fault: "crash", verdictAt: undefined }]);
    expect(line).not.toContain("\n");
    expect(JSON.parse(line)).toEqual({
      faults: [
        {
          fault: "image",
          cause: GOOD.cause,
          verdictSecondsAfterCause: 0.6,
          failedRequests: 0,
          requests: 200,
          rolledBack: true,
        },
        expect.objectContaining({ fault: "crash", verdictSecondsAfterCause: null }),
      ],
    });
  });
});

describe("the client's tallies", () => {
  const tally = (at: number, answered: number, failed = 0): Tally => ({
    at,
    sent: answered + failed,
    answered,
    failed,
    slowestMs: 9,
    versions: { "1.0.0": answered },
    failures: failed > 0 ? ["ECONNREFUSED"] : [],
  });

  it("are read from its log, whatever else is in it", () => {
    const log = `(node:1) Warning: x\n${JSON.stringify(tally(500, 12))}\n{"at":10`;
    expect(readTallies(log)).toEqual([tally(500, 12)]);
  });

  it("count only what came after the one before", () => {
    const all = [tally(500, 12), tally(1_000, 25), tally(1_500, 37), tally(2_000, 48, 1)];
    const traffic = trafficBetween(all, tally(1_000, 25), (at) => at / 1_000);
    expect(traffic).toMatchObject({ requests: 24, failed: 1, failures: ["ECONNREFUSED"] });
    expect(traffic.versions).toEqual({ "1.0.0": 23 });
    expect(traffic.beats).toEqual([
      { at: 1.5, answered: 12, failed: 0 },
      { at: 2, answered: 11, failed: 1 },
    ]);
  });
});

describe("the lives of pods", () => {
  it("become spans from the beginning to the end", () => {
    const life = {
      name: "web-1",
      version: "1.0.0",
      from: 500,
      to: undefined,
      states: [
        { at: 500, state: "Pending", ready: false },
        { at: 3_000, state: "Ready", ready: true },
      ],
    };
    expect(podSpans([life], 1_000, 6_000)[0]?.states).toEqual([
      { state: "Pending", ready: false, from: 0, to: 2 },
      { state: "Ready", ready: true, from: 2, to: 5 },
    ]);
  });
});

describe("the report", () => {
  const report = page(
    [{ ...GOOD, cause: 'image <script>alert("x")</script> & more' }],
    new Date(0),
  );

  it("lets no text become markup", () => {
    expect(report).not.toContain("<script>");
    expect(report).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; more");
  });

  it("needs nothing from elsewhere", () => {
    expect(report).not.toMatch(/(src|href)=|@import|url\(/);
  });

  it("opens with the verdict", () => {
    expect(report).toContain("<h1>Every broken version was caught and rolled back</h1>");
    expect(page([{ ...GOOD, rolledBack: false }], new Date(0))).toContain(
      "<h1>It did not go as it should</h1>",
    );
  });
});
