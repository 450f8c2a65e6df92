import { isControlledBy } from "../object.ts";
import {
  type ContainerStatus,
  conditionOf,
  type Job,
  type Pod,
  type Terminated,
} from "../workload.ts";
import { containerProblems, endOfRun } from "./container.ts";
import { containersOf, hasEnded } from "./pod.ts";
import { assessPods } from "./pods.ts";
import { refusedPods } from "./replica-set.ts";
import { latestEvent, type Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

/** The verdict on a Job: its conditions decide; its pods only tell of what can never start. */
export function assessJob(job: Job, pods: readonly Pod[], sight: Sight): Assessment {
  if (conditionOf(job, "Complete")?.status === "True") return READY;
  const jobPods = pods.filter((pod) => isControlledBy(pod, job));
  const failed = conditionOf(job, "Failed");
  if (failed?.status === "True") {
    return underway(["it failed"], { problems: [failedJob(job, failed, jobPods, sight)] });
  }
  if (job.spec.suspend === true) {
    return { ...READY, notes: ["it is suspended: nothing runs until it is resumed"] };
  }
  const doomed = givingUp(job, jobPods, sight);
  const wanted = job.spec.completions ?? 1;
  const { succeeded = 0, active = 0, failed: failures = 0 } = job.status ?? {};
  const counts = `${succeeded} of ${wanted} completions, ${active} running, ${failures} failed`;
  const { words } = lastFailure(jobPods, sight) ?? {};
  const missing = words === undefined ? [counts] : [counts, words];
  const own = assessPods(jobPods, sight);
  const refused = latestEvent(sight, job.metadata.uid, ["FailedCreate"]);
  const refusals =
    refused === undefined || active > 0
      ? []
      : [refusedPods(job.metadata.uid, refused.message ?? "without a reason", sight)];
  return underway(missing, {
    notes: own.notes,
    problems: [
      ...refusals,
      ...doomed,
      ...neverStarted(jobPods, sight),
      ...own.problems.filter(isNotCrash),
    ],
  });
}

/** Counts and a first condition run ahead of the condition that decides. */
function givingUp(job: Job, pods: readonly Pod[], sight: Sight): Problem[] {
  const target = conditionOf(job, "FailureTarget");
  const { backoffLimit = 6 } = job.spec;
  const { failed = 0 } = job.status ?? {};
  if (target?.status !== "True" && failed <= backoffLimit) return [];
  const why = target?.status === "True" ? target : { message: `${failed} of its pods failed` };
  const problem = failedJob(job, why, pods, sight);
  return [{ ...problem, key: `${problem.key}:early`, grace: Number.POSITIVE_INFINITY }];
}

/** What kept a pod that ended from ever starting keeps its successors too: no retry helps. */
function neverStarted(pods: readonly Pod[], sight: Sight): Problem[] {
  return pods
    .filter(hasEnded)
    .flatMap(containersOf)
    .flatMap((container) => containerProblems(container, sight))
    .filter((problem) => isNotCrash(problem) && problem.grace === 0);
}

/** A Job counts crashes by itself (backoffLimit) and says in a condition when it has had enough. */
function isNotCrash({ reason }: Problem): boolean {
  return reason !== "CrashLoop" && reason !== "NotReady";
}

function failedJob(
  job: Job,
  failed: { readonly reason?: string; readonly message?: string },
  pods: readonly Pod[],
  sight: Sight,
): Problem {
  const { ended, run, words } = lastFailure(pods, sight) ?? {};
  const code = run?.exitCode;
  const where = words === undefined ? "" : `: ${words}`;
  return {
    ...(ended === undefined ? {} : { pod: ended.pod.metadata.name, container: ended.status.name }),
    ...(code === undefined ? {} : { exitCode: code }),
    key: `job:${job.metadata.uid}`,
    reason: "JobFailed",
    message: `the Job failed (${[failed.reason, failed.message].filter(Boolean).join(": ")})${where}`,
    remedy: "Read its log below; a failed Job must be made anew under the same or another name.",
    grace: 0,
  };
}

/** The container of a Job that ended badly last, and how. */
function lastFailure(pods: readonly Pod[], sight: Sight) {
  const runs = pods.flatMap(containersOf).flatMap((ended) => {
    const run = exitOf(ended.status);
    return run === undefined ? [] : [{ ended, run }];
  });
  const last = runs.reduce<(typeof runs)[number] | undefined>(
    (latest, one) =>
      latest === undefined || endedAt(one.run) >= endedAt(latest.run) ? one : latest,
    undefined,
  );
  return last && { ...last, words: endOfRun(last.ended, last.run, sight) };
}

function endedAt({ finishedAt }: Terminated): number {
  return finishedAt ? Date.parse(finishedAt) : 0;
}

/** The newest run of a container that ended badly. */
function exitOf({ state, lastState }: ContainerStatus): Terminated | undefined {
  return [state?.terminated, lastState?.terminated].find((run) => (run?.exitCode ?? 0) !== 0);
}
