import type { Pod } from "../workload.ts";
import { assessPod } from "./pod.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY } from "./verdict.ts";

/**
 * What a workload's pods of one revision say together. Pods that are being deleted are left out:
 * their end is wanted.
 */
export function assessPods(pods: readonly Pod[], sight: Sight): Assessment {
  const living = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const all = living.map((pod) => assessPod(pod, sight));
  const looks = all.flatMap(({ lookAgainAt }) => lookAgainAt ?? []);
  return {
    ...READY,
    ready: all.every(({ ready }) => ready),
    missing: all.flatMap(({ missing }) => missing),
    notes: all.flatMap(({ notes }) => notes),
    problems: all.flatMap(({ problems }) => problems),
    lookAgainAt: looks.length > 0 ? Math.min(...looks) : undefined,
  };
}

/** Joins what the workload itself shows with what its pods show. */
export function joined(
  own: {
    readonly missing: readonly string[];
    readonly notes?: readonly string[];
    readonly problems?: readonly Problem[];
  },
  pods: Assessment,
): Assessment {
  const missing = [...own.missing, ...pods.missing];
  return {
    ready: missing.length === 0 && pods.ready,
    missing,
    notes: [...(own.notes ?? []), ...pods.notes],
    problems: [...(own.problems ?? []), ...pods.problems],
    lookAgainAt: pods.lookAgainAt,
  };
}
