import { describe, expect, it } from "@jest/globals";
import type { Facts } from "../../../actions/helm-upgrade/facts.ts";
import { inputs, type Options } from "../../../actions/helm-upgrade/inputs.ts";
import { outcomeOf } from "../../../actions/helm-upgrade/outcome.ts";
import { parseInputs } from "../../../shared/action/index.ts";
import { UserError } from "../../../shared/failure/index.ts";
import { Journal } from "../../../shared/journal/index.ts";
import type { RolloutReport } from "../../../shared/kubernetes/index.ts";

const options: Options = parseInputs(inputs, { INPUT_RELEASE: "shop", INPUT_CHART: "./chart" });

async function journalOf(
  ...phases: readonly [name: string, milliseconds: number, fails?: boolean][]
) {
  let now = 0;
  const journal = new Journal({ now: () => now, sleep: async () => {} });
  for (const [name, milliseconds, fails] of phases) {
    await journal.phase(name, async () => {
      now += milliseconds;
    });
    if (fails === true) journal.markFailed();
  }
  return journal;
}

const failed: RolloutReport = {
  verdict: "failed",
  startedAt: "2026-01-01T00:00:00.000Z",
  endedAt: "2026-01-01T00:00:04.500Z",
  seconds: 4.5,
  counts: { ready: 0, progressing: 0, failing: 0, failed: 1 },
  cause: {
    resource: "deployment/web",
    namespace: "shop",
    reason: "ImageNotFound",
    message: "deployment/web: no such image",
    remedy: "Push it.",
    firstSeenAt: "2026-01-01T00:00:04.000Z",
    causeSeenAt: "2026-01-01T00:00:04.000Z",
  },
  resources: [
    {
      resource: "deployment/web",
      namespace: "shop",
      state: "failed",
      missing: [],
      notes: [],
      cause: { reason: "ImageNotFound", message: "no such image" },
      timeline: [],
    },
  ],
  evidence: { logs: [], events: [], unavailable: [] },
};

describe("the outcome", () => {
  it("opens with the verdict, then the picture, then the table", async () => {
    const facts: Facts = {
      rolledBack: true,
      running: 3,
      rollout: failed,
      recovery: {
        ...failed,
        verdict: "ready",
        resources: [
          {
            resource: "deployment/web",
            namespace: "shop",
            state: "ready",
            missing: [],
            notes: [],
            timeline: [],
          },
        ],
      },
      images: [],
      notes: [],
    };
    const failure = new UserError({
      title: "The rollout failed",
      cause: "deployment/web: no such image <b>.",
      remedy: "Push it.",
      evidence: "Events: ```",
    });
    const journal = await journalOf(["render", 400], ["rollout", 4_500, true], ["rollback", 0]);
    const { summary, outputs } = outcomeOf(options, journal, facts, failure);
    const order = [
      "## ❌ shop: The rollout failed (rolled back, revision 3 is deployed)",
      "&lt;b&gt;",
      "```mermaid",
      "rollout 4.5 s :crit, 400, 4900",
      "| `deployment/web` | ❌ failed: ImageNotFound | ✅ ready |",
      "<details>",
    ];
    const places = order.map((text) => summary.indexOf(text));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(outputs["rolled-back"]).toBe(true);
    expect(outputs["running-revision"]).toBe(3);
    expect(outputs.report).toMatchObject({
      verdictSecondsAfterCause: 0.5,
      causeReason: "ImageNotFound",
    });
  });

  it("has every output when nothing is known", async () => {
    const facts: Facts = { rolledBack: false, images: [], notes: [] };
    const { outputs } = outcomeOf(options, await journalOf(), facts, undefined);
    expect(outputs).toMatchObject({
      revision: "",
      "previous-revision": "",
      "running-revision": "",
      "rolled-back": false,
    });
  });

  it("shows the proof of the images", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const facts: Facts = {
      rolledBack: false,
      running: 1,
      images: [
        { service: "web", digest, verdict: "proved", containers: 2, proved: 2, detail: "" },
        {
          service: "job",
          digest,
          verdict: "not-checked",
          containers: 0,
          proved: 0,
          detail: "no pod",
        },
      ],
      notes: [],
    };
    const { summary } = outcomeOf(options, await journalOf(["render", 1]), facts, undefined);
    expect(summary).toContain("✅ 2 of 2 containers run it");
    expect(summary).toContain("❔ not checked: no pod");
  });
});
