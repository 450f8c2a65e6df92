import type { KubernetesObject } from "../object.ts";
import { conditionOf, type Job } from "../workload.ts";
import { familyOf } from "./needs.ts";

/**
 * Whether an object has come to its end by itself, so that it may be removed and its verdict stay:
 * a Job that is complete or failed, which ttlSecondsAfterFinished takes away.
 */
export function hasRun(object: KubernetesObject): boolean {
  if (familyOf(object) !== "batch/Job") return false;
  const job = object as Job;
  // Without it somebody deletes the Job, perhaps to make it anew.
  if (job.spec.ttlSecondsAfterFinished === undefined) return false;
  return ["Complete", "Failed"].some((type) => conditionOf(job, type)?.status === "True");
}
