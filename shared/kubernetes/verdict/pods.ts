import type { Pod } from "../workload.ts";
import { assessPod, endNote, endsByItself, hasEnded, isReady } from "./pod.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, READY } from "./verdict.ts";

export interface PodsAssessment extends Assessment {
  /** Phrases on the pods that are over for good. */
  readonly ended: readonly string[];
}

/**
 * What a workload's pods of one revision say together. Pods that are being deleted are left out:
 * their end is wanted. Those that ended for good (evicted, the node shut down) stay as objects
 * long after their controller made others in their place: they are told of, and no more.
 */
export function assessPods(pods: readonly Pod[], sight: Sight): PodsAssessment {
  const there = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const all = there.filter((pod) => !hasEnded(pod)).map((pod) => assessPod(pod, sight));
  const looks = all.flatMap(({ lookAgainAt }) => lookAgainAt ?? []);
  return {
    ...READY,
    ready: all.every(({ ready }) => ready),
    missing: all.flatMap(({ missing }) => missing),
    notes: all.flatMap(({ notes }) => notes),
    ended: there.filter(hasEnded).map(endNote),
    problems: [...all.flatMap(({ problems }) => problems), ...endings(there, sight)],
    lookAgainAt: looks.length > 0 ? Math.min(...looks) : undefined,
  };
}

/** Pods that a node ends again and again for what they are: the next one fares no better. */
function endings(pods: readonly Pod[], { graces }: Sight): Problem[] {
  const ended = pods.filter(endsByItself);
  const last = ended.at(-1);
  if (last === undefined || pods.some((pod) => !hasEnded(pod) && isReady(pod))) return [];
  const certain = ended.length >= graces.crashes;
  const { reason = "", message = "" } = last.status ?? {};
  return [
    {
      pod: last.metadata.name,
      key: `${certain ? "endings" : "ending"}:${last.metadata.ownerReferences?.[0]?.uid}`,
      reason: "PodFailed",
      message: `its node ended ${ended.length === 1 ? "a pod" : `${ended.length} pods`}, the last one ${last.metadata.name}: ${reason}: ${message.trim()}`,
      remedy: "Change what the message names: a pod like that is ended on any node.",
      grace: certain ? 0 : Infinity,
    },
  ];
}

/** Joins what the workload itself shows with what its pods show. */
export function joined(
  own: {
    readonly missing: readonly string[];
    readonly notes?: readonly string[];
    readonly problems?: readonly Problem[];
  },
  pods: PodsAssessment,
): Assessment {
  const missing = [...own.missing, ...pods.missing];
  const whole = missing.length === 0;
  return {
    ready: whole && pods.ready,
    missing: whole ? [] : [...missing, ...pods.ended],
    notes: [...(own.notes ?? []), ...pods.notes, ...(whole ? pods.ended : [])],
    problems: [...(own.problems ?? []), ...pods.problems],
    lookAgainAt: pods.lookAgainAt,
  };
}
