import { isControlledBy } from "../object.ts";
import { conditionOf, type Pod, type ReplicaSet } from "../workload.ts";
import { notYetObserved } from "./observed.ts";
import { assessPods, joined } from "./pods.ts";
import type { Sight } from "./sight.ts";
import type { Assessment, Problem } from "./verdict.ts";

/** The verdict on a ReplicaSet that stands alone. */
export function assessReplicaSet(set: ReplicaSet, pods: readonly Pod[], sight: Sight): Assessment {
  const { spec, status = {} } = set;
  const unseen = notYetObserved(set);
  if (unseen !== undefined) return unseen;
  const wanted = spec.replicas ?? 1;
  const available = status.availableReplicas ?? 0;
  const missing = available < wanted ? [`${available} of ${wanted} pods available`] : [];
  const excess = (status.replicas ?? 0) - wanted;
  if (excess > 0) missing.push(`${excess} ${excess === 1 ? "pod has" : "pods have"} yet to go`);
  const notes = wanted === 0 ? ["it wants 0 replicas: nothing runs"] : [];
  const own = pods.filter((pod) => isControlledBy(pod, set));
  return joined({ missing, notes, problems: replicaFailure(set, sight) }, assessPods(own, sight));
}

/** Pods that the API server refused to a ReplicaSet: quota, admission, service account. */
export function replicaFailure(set: ReplicaSet, sight: Sight): Problem[] {
  const failure = conditionOf(set, "ReplicaFailure");
  if (failure?.status !== "True" || failure.reason === "FailedDelete") return [];
  return [refusedPods(set.metadata.uid, failure.message ?? "without a reason", sight)];
}

/** The problem of a controller whose pods the API server refuses. */
export function refusedPods(uid: string | undefined, words: string, sight: Sight): Problem {
  return {
    key: `refused:${uid}`,
    reason: "PodsRefused",
    message: `the API server refuses the pods: ${words}`,
    remedy: /exceeded quota/.test(words)
      ? "Raise the namespace's quota, ask for less, or free what others hold: a rolling update needs room for its surge."
      : "Mend what the message names: a policy, a webhook, or a service account that is missing.",
    grace: sight.graces.podCreate,
  };
}
