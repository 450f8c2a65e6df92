import { isControlledBy } from "../object.ts";
import { conditionOf, type Deployment, type Pod, type ReplicaSet } from "../workload.ts";
import { notYetObserved } from "./observed.ts";
import { hasEnded, isReady } from "./pod.ts";
import { assessPods, joined } from "./pods.ts";
import { replicaFailure } from "./replica-set.ts";
import type { Sight } from "./sight.ts";
import { type Assessment, type Problem, underway } from "./verdict.ts";

const REVISION = "deployment.kubernetes.io/revision";

/** The verdict on a Deployment from its ReplicaSets and pods; those of old revisions are ignored. */
export function assessDeployment(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: readonly Pod[],
  sight: Sight,
): Assessment {
  const { spec, status = {} } = deployment;
  const unseen = notYetObserved(deployment);
  if (unseen !== undefined) return unseen;
  const wanted = spec.replicas ?? 1;
  const updated = status.updatedReplicas ?? 0;
  if (wanted === 0) return scaledToZero(deployment);
  // A paused one is still scaled: what is short of pods of the new template only may get them.
  const old = (status.replicas ?? 0) - updated;
  if (spec.paused === true && (updated === 0 || old > 0)) {
    return underway(["the rollout is paused"], { problems: [paused(deployment)] });
  }
  const current = currentReplicaSet(deployment, replicaSets);
  if (current === undefined) return underway(["the new ReplicaSet is not there yet"]);
  const ownPods = assessPods(
    pods.filter((pod) => isControlledBy(pod, current)),
    sight,
  );
  const refused = replicaFailure(current, sight);
  const deadline = deadlineProblem(deployment, [...refused, ...ownPods.problems], ownPods.missing);
  const missing = isProvedByPods(deployment, current, pods) ? [] : missingOf(deployment, wanted);
  return joined({ missing, problems: [...refused, ...deadline] }, ownPods);
}

/** The ReplicaSet of the template that is being rolled out. */
export function currentReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
): ReplicaSet | undefined {
  const revision = deployment.metadata.annotations?.[REVISION];
  return replicaSets.find(
    (set) =>
      isControlledBy(set, deployment) &&
      revision !== undefined &&
      set.metadata.annotations?.[REVISION] === revision,
  );
}

/**
 * Whether the pods themselves show that the rollout is done: as many of the new template as wanted,
 * all ready, and none of another. The status says so later, by seconds where the controller has
 * much to do. With minReadySeconds only the controller's clock tells. That all pods are of the new
 * template the controller must have said itself: for a moment after a change the old ReplicaSet is
 * still the newest one, and its pods are all ready.
 */
function isProvedByPods(
  { spec, status = {} }: Deployment,
  current: ReplicaSet,
  pods: readonly Pod[],
): boolean {
  const there = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && !hasEnded(pod),
  );
  return (
    (status.updatedReplicas ?? 0) >= (spec.replicas ?? 1) &&
    (spec.minReadySeconds ?? 0) === 0 &&
    there.length === (spec.replicas ?? 1) &&
    there.every((pod) => isControlledBy(pod, current) && isReady(pod))
  );
}

function missingOf({ status = {} }: Deployment, wanted: number): string[] {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  if (updatedReplicas < wanted) return [`${updatedReplicas} of ${wanted} pods updated`];
  if (replicas > updatedReplicas) {
    const old = replicas - updatedReplicas;
    return [`${old} old ${old === 1 ? "pod has" : "pods have"} yet to go`];
  }
  return availableReplicas < wanted ? [`${availableReplicas} of ${wanted} pods available`] : [];
}

function scaledToZero({ status = {} }: Deployment): Assessment {
  const left = status.replicas ?? 0;
  if (left > 0) return underway([`${left} pods have yet to go`]);
  return { ready: true, missing: [], notes: ["it wants 0 replicas: nothing runs"], problems: [] };
}

function paused({ metadata }: Deployment): Problem {
  return {
    key: `paused:${metadata.uid}`,
    reason: "Paused",
    message: "the rollout is paused (spec.paused), so that the new template never goes out",
    remedy: `Resume it: kubectl rollout resume deployment/${metadata.name}.`,
    grace: 0,
  };
}

function deadlineProblem(
  deployment: Deployment,
  others: readonly Problem[],
  missing: readonly string[],
): Problem[] {
  const progressing = conditionOf(deployment, "Progressing");
  if (progressing?.status !== "False" || progressing.reason !== "ProgressDeadlineExceeded")
    return [];
  const [reason] = others;
  const words = progressing.message ?? "its progress deadline is exceeded";
  return [
    {
      ...reason,
      key: `deadline:${deployment.metadata.uid}:${deployment.metadata.generation}`,
      reason: "ProgressDeadlineExceeded",
      message: [reason?.message ?? missing[0], words].filter(Boolean).join(": "),
      remedy:
        reason?.remedy ?? "Look at the pods' events: nothing moved for progressDeadlineSeconds.",
      grace: 0,
    },
  ];
}
