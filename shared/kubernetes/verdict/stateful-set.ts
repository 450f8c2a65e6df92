import { isControlledBy } from "../object.ts";
import { lastSeenOf, type Pod, type StatefulSet } from "../workload.ts";
import { notYetObserved } from "./observed.ts";
import { isReady } from "./pod.ts";
import { assessPods, joined } from "./pods.ts";
import { refusedPods } from "./replica-set.ts";
import { latestEvent, type Sight } from "./sight.ts";
import type { Assessment, Problem } from "./verdict.ts";

const REVISION = "controller-revision-hash";
/** The controller tries again at growing pauses: an older refusal says nothing of now. */
const REFUSAL_LASTS_MS = 60_000;

/** The verdict on a StatefulSet; pods of the old revision count only where they block the new one. */
export function assessStatefulSet(
  set: StatefulSet,
  pods: readonly Pod[],
  sight: Sight,
): Assessment {
  const { spec, status = {} } = set;
  const unseen = notYetObserved(set);
  if (unseen !== undefined) return unseen;
  const wanted = spec.replicas ?? 1;
  const own = pods.filter((pod) => isControlledBy(pod, set));
  const byHand = spec.updateStrategy?.type === "OnDelete";
  const isNew = (pod: Pod) => pod.metadata.labels?.[REVISION] === status.updateRevision;
  const counted = byHand ? own : own.filter(isNew);
  const due = byHand ? 0 : wanted - (spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  const missing = missingOf(set, wanted, Math.max(0, due));
  if (missing.length > 0 && !byHand) missing.push(...blockers(own, isNew));
  const problems = refusals(set, wanted, sight);
  if (missing.length > 0 && !byHand) problems.push(...blockages(set, own, isNew, sight));
  const notes = notesOf(set, wanted, byHand);
  return joined({ missing, notes, problems }, assessPods(counted, sight));
}

function missingOf({ status = {} }: StatefulSet, wanted: number, due: number): string[] {
  const updated =
    status.updateRevision === status.currentRevision
      ? (status.replicas ?? 0)
      : (status.updatedReplicas ?? 0);
  const ready = status.availableReplicas ?? status.readyReplicas ?? 0;
  const missing: string[] = [];
  if (updated < due) missing.push(`${updated} of ${due} pods updated`);
  if (ready < wanted) missing.push(`${ready} of ${wanted} pods ready`);
  if ((status.replicas ?? 0) > wanted)
    missing.push(`${(status.replicas ?? 0) - wanted} pods have yet to go`);
  return missing;
}

/**
 * A broken pod of the old revision stops the update: the controller waits for it to be ready before
 * it replaces any, unless it may handle pods in parallel (kubernetes/kubernetes#67250).
 */
function blockages(
  { spec }: StatefulSet,
  pods: readonly Pod[],
  isNew: (pod: Pod) => boolean,
  sight: Sight,
): Problem[] {
  if (spec.podManagementPolicy === "Parallel") return [];
  const old = pods.filter((pod) => !isNew(pod) && !isReady(pod));
  return assessPods(old, sight).problems.map((problem) => ({
    ...problem,
    key: `blocked:${problem.key}`,
    reason: "Blocked",
    message: `pod ${problem.pod} of the old revision blocks the update: ${problem.message}`,
    remedy: `Delete it, and it is made anew from the new revision: kubectl delete pod ${problem.pod}.`,
    grace: Math.max(problem.grace, sight.graces.blocked),
  }));
}

/** What waits for a pod of the old revision that is not ready. */
function blockers(pods: readonly Pod[], isNew: (pod: Pod) => boolean): string[] {
  return pods
    .filter((pod) => !isNew(pod) && !isReady(pod) && pod.metadata.deletionTimestamp === undefined)
    .map(
      ({ metadata }) =>
        `pod ${metadata.name} of the old revision is not ready and may block the update: delete it by hand`,
    );
}

function notesOf({ spec, status = {} }: StatefulSet, wanted: number, byHand: boolean): string[] {
  if (wanted === 0) return ["it wants 0 replicas: nothing runs"];
  const updated = status.updatedReplicas ?? 0;
  const differs = status.updateRevision !== status.currentRevision;
  if (byHand && differs) {
    return [
      `${wanted - updated} of ${wanted} pods keep the old revision until they are deleted (OnDelete)`,
    ];
  }
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return partition > 0 && differs
    ? [`pods below number ${partition} keep the old revision (partition)`]
    : [];
}

function refusals(set: StatefulSet, wanted: number, sight: Sight): Problem[] {
  if ((set.status?.replicas ?? 0) >= wanted) return [];
  const event = latestEvent(sight, set.metadata.uid, ["FailedCreate"]);
  if (event === undefined || lastSeenOf(event) < sight.now - REFUSAL_LASTS_MS) return [];
  const created = latestEvent(sight, set.metadata.uid, ["SuccessfulCreate"]);
  if (created !== undefined && lastSeenOf(created) > lastSeenOf(event)) return [];
  return [refusedPods(set.metadata.uid, event.message ?? "without a reason", sight)];
}
