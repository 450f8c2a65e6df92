import { describe, expect, it } from "@jest/globals";
import { assessJob } from "../../../../shared/kubernetes/verdict/job.ts";
import type { Job, Terminated } from "../../../../shared/kubernetes/workload.ts";
import { event, pod, sight } from "../objects.ts";
import { condition, object, type VerdictRow, verdictTable } from "./verdict-table.ts";

const job = (status: object, spec: object = {}) => object("batch/v1", "Job", { spec, status });
const pending = (name: string) =>
  pod({ name, owner: "u1", restartPolicy: "Never", unplaced: true });

const rows: readonly VerdictRow[] = [
  ["complete", job({ conditions: [condition("Complete", "True")] }), "ready", ""],
  ["running", job({ active: 1 }), "progressing", "0 of 1 completions, 1 running, 0 failed"],
  [
    "whose counts are ahead of its condition",
    job({ succeeded: 1, ready: 0 }),
    "progressing",
    "1 of 1 completions",
  ],
  [
    "with more failures than it allows, ahead of its condition",
    job({ failed: 2 }, { backoffLimit: 1 }),
    "failing",
    "JobFailed; the Job failed (2 of its pods failed)",
  ],
  [
    "that is about to fail",
    job({ conditions: [condition("FailureTarget", "True", "PodFailurePolicy", "exit code 3")] }),
    "failing",
    "JobFailed; the Job failed (PodFailurePolicy: exit code 3)",
  ],
  [
    "failed",
    job({ conditions: [condition("Failed", "True", "DeadlineExceeded", "too long")] }),
    "failed",
    "JobFailed; the Job failed (DeadlineExceeded: too long)",
  ],
  ["suspended", job({}, { suspend: true }), "ready", "it is suspended"],
  [
    "whose pod waits for a node",
    job({ active: 1 }),
    "progressing",
    "0 of 1 completions, 1 running",
    { pods: [pending("migrate-x")] },
  ],
  [
    "whose pods are refused",
    job({}),
    "failing",
    "PodsRefused; the API server refuses the pods: exceeded quota: small",
    { events: [event("u1", "FailedCreate", "exceeded quota: small")] },
  ],
];
verdictTable("a Job by its conditions and counts", rows);

describe("a Job by its pods", () => {
  const make = (status: object): Job => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate", namespace: "shop", uid: "j1" },
    spec: {},
    status,
  });
  const ended = (run: Terminated) =>
    pod({
      owner: "j1",
      phase: "Failed",
      restartPolicy: "Never",
      status: { state: { terminated: run } },
    });

  it("fails at the first pod whose program does not exist, for no retry helps", () => {
    const run = {
      exitCode: 128,
      reason: "StartError",
      message: 'exec: "/no": no such file or directory',
    };
    const [problem] = assessJob(make({ active: 1, failed: 1 }), [ended(run)], sight()).problems;
    expect(problem).toMatchObject({ reason: "CannotStart", grace: 0 });
  });

  it("goes on after a pod that crashed, for it may be tried again", () => {
    const pods = [ended({ exitCode: 1 })];
    const { ready, problems } = assessJob(make({ active: 1, failed: 1 }), pods, sight());
    expect({ ready, problems }).toEqual({ ready: false, problems: [] });
  });

  it("tells how its last pod ended, and its last words", () => {
    const failed = make({ conditions: [condition("Failed", "True", "BackoffLimitExceeded")] });
    const words = sight({ lastWords: () => "fatal: bad schema" });
    const [problem] = assessJob(failed, [ended({ exitCode: 137 })], words).problems;
    expect(problem?.message).toContain(
      "ended with exit code 137 (SIGKILL); its last words: fatal: bad schema",
    );
  });
});
