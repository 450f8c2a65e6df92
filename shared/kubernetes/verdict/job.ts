import { isControlledBy } from "../object.ts";
import { conditionOf, type Job, type Pod } from "../workload.ts";
import { assessPods } from "./pods.ts";
import { refusedPods } from "./replica-set.ts";
import { latestEvent, type Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

/** The verdict on a Job: its conditions decide; its pods only tell of what can never start. */
export function assessJob(job: Job, pods: readonly Pod[], sight: Sight): Assessment {
  if (conditionOf(job, "Complete")?.status === "True") return READY;
  const failed = conditionOf(job, "Failed");
  if (failed?.status === "True") {
    return underway(["it failed"], { problems: [failedJob(job, failed, pods)] });
  }
  if (job.spec.suspend === true) {
    return { ...READY, notes: ["it is suspended: nothing runs until it is resumed"] };
  }
  const wanted = job.spec.completions ?? 1;
  const { succeeded = 0, active = 0, failed: failures = 0 } = job.status ?? {};
  const missing = [`${succeeded} of ${wanted} completions, ${active} running, ${failures} failed`];
  const own = assessPods(
    pods.filter((pod) => isControlledBy(pod, job)),
    sight,
  );
  const refused = latestEvent(sight, job.metadata.uid, ["FailedCreate"]);
  const refusals =
    refused === undefined || active > 0
      ? []
      : [refusedPods(job.metadata.uid, refused.message ?? "without a reason", sight)];
  return underway(missing, {
    notes: own.notes,
    problems: [...refusals, ...own.problems.filter(isNotCrash)],
  });
}

/** A Job counts crashes by itself (backoffLimit) and says in a condition when it has had enough. */
function isNotCrash({ reason }: Problem): boolean {
  return reason !== "CrashLoop" && reason !== "NotReady";
}

function failedJob(
  job: Job,
  failed: { readonly reason?: string; readonly message?: string },
  pods: readonly Pod[],
): Problem {
  const ended = pods
    .filter((pod) => isControlledBy(pod, job))
    .flatMap((pod) => (pod.status?.containerStatuses ?? []).map((status) => ({ pod, status })))
    .findLast(({ status }) => (exitOf(status) ?? 0) !== 0);
  const code = ended === undefined ? undefined : exitOf(ended.status);
  const where =
    ended === undefined
      ? ""
      : `: container "${ended.status.name}" of pod ${ended.pod.metadata.name} ended with exit code ${code}`;
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

function exitOf(status: {
  readonly state?: { readonly terminated?: { readonly exitCode: number } };
  readonly lastState?: { readonly terminated?: { readonly exitCode: number } };
}): number | undefined {
  return status.state?.terminated?.exitCode ?? status.lastState?.terminated?.exitCode;
}
