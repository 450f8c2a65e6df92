import type { KubernetesObject } from "../object.ts";
import { type Condition, conditionOf } from "../workload.ts";
import { conditionProblem } from "./conditions.ts";
import { notYetObserved } from "./observed.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, READY, underway } from "./verdict.ts";
import { type LabelSelector, makersOf, wantedPods } from "./workloads.ts";

interface DisruptionBudget extends KubernetesObject {
  readonly spec?: { readonly selector?: LabelSelector };
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
 *
 * @param workloads those of its namespace; undefined where they may not be read.
 */
export function assessDisruptionBudget(
  object: KubernetesObject,
  workloads: readonly KubernetesObject[] | undefined,
  sight: Sight,
): Assessment {
  const budget: DisruptionBudget = object;
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
  // A controller that cannot count does not say which generation it looked at.
  const unseen = notYetObserved(budget);
  if (unseen !== undefined) return unseen;
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {};
  // Its controller counts the pods that there are; more of them may be on their way.
  const makers = makersOf(budget.spec?.selector ?? {}, workloads ?? []);
  const wanted = makers.reduce((sum, maker) => sum + wantedPods(maker), 0);
  if (expectedPods === 0) return withoutPods(budget, wanted, sight);
  if (desiredHealthy > Math.max(wanted, expectedPods)) {
    const words = `it demands ${desiredHealthy} healthy pods where ${Math.max(wanted, expectedPods)} are wanted`;
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

/** Pods that were just made are not counted yet, those of nobody among them. */
function withoutPods({ metadata }: DisruptionBudget, wanted: number, sight: Sight): Assessment {
  const until = Date.parse(metadata.creationTimestamp ?? "") + sight.graces.silence;
  if (wanted > 0) return underway([`0 of the ${wanted} pods that it protects are counted`]);
  return sight.now < until
    ? underway(["its pods are not counted yet"], { lookAgainAt: until })
    : { ...READY, notes: ["it matches no pods"] };
}
