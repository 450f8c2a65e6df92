import type { KubernetesObject } from "../object.ts";
import { type Condition, conditionOf } from "../workload.ts";
import { conditionProblem } from "./conditions.ts";
import { notYetObserved } from "./observed.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, READY, underway } from "./verdict.ts";

interface DisruptionBudget extends KubernetesObject {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    readonly disruptionsAllowed?: number;
    readonly conditions?: readonly Condition[];
  };
}

/**
 * The verdict on a PodDisruptionBudget: as many pods are healthy as it demands. One that demands
 * more than there ever will be is told of: the pods are well, only nobody may evict them.
 */
export function assessDisruptionBudget(object: KubernetesObject, sight: Sight): Assessment {
  const budget: DisruptionBudget = object;
  const unseen = notYetObserved(budget);
  if (unseen !== undefined) return unseen;
  const allowed = conditionOf(budget, "DisruptionAllowed");
  if (allowed?.status === "False" && allowed.reason === "SyncFailed") {
    const failed = conditionProblem(allowed, {
      key: `budget:${budget.metadata.uid}`,
      reason: "BudgetNotComputed",
      about: "nobody can tell how many of its pods may be evicted",
      remedy: "Let its selector match the pods of a Deployment, StatefulSet or ReplicaSet only.",
      grace: sight.graces.reference,
    });
    return underway(["its pods cannot be counted"], { problems: [failed] });
  }
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  if (expectedPods === 0) return { ...READY, notes: ["it matches no pods"] };
  if (desiredHealthy > expectedPods) {
    const words = `it demands ${desiredHealthy} healthy pods where ${expectedPods} are wanted`;
    return { ...READY, notes: [`${words}: nobody may ever evict one`] };
  }
  if (currentHealthy < desiredHealthy) {
    return underway([
      `${currentHealthy} of the ${desiredHealthy} pods that it demands are healthy`,
    ]);
  }
  const none = (budget.status?.disruptionsAllowed ?? 0) === 0;
  return none ? { ...READY, notes: ["it allows no eviction now"] } : READY;
}
