import { isControlledBy } from "../object.ts";
import type { ControllerRevision, DaemonSet, Pod } from "../workload.ts";
import { notYetObserved } from "./observed.ts";
import { assessPods, joined } from "./pods.ts";
import { refusedPods } from "./replica-set.ts";
import { latestEvent, type Sight } from "./sight.ts";
import type { Assessment } from "./verdict.ts";

const REVISION = "controller-revision-hash";

/** The verdict on a DaemonSet: one pod of the newest revision on every node that it targets. */
export function assessDaemonSet(
  set: DaemonSet,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
  sight: Sight,
): Assessment {
  const { metadata, spec, status = {} } = set;
  const unseen = notYetObserved(set);
  if (unseen !== undefined) return unseen;
  const wanted = status.desiredNumberScheduled ?? 0;
  const updated = status.updatedNumberScheduled ?? 0;
  const available = status.numberAvailable ?? 0;
  const byHand = spec.updateStrategy?.type === "OnDelete";
  const missing: string[] = [];
  if (updated < wanted && !byHand) missing.push(`${updated} of ${wanted} nodes updated`);
  if (available < wanted) missing.push(`${available} of ${wanted} nodes have an available pod`);
  const notes: string[] = [];
  if (wanted === 0) notes.push("no node matches: nothing runs");
  if (byHand && updated < wanted) {
    notes.push(
      `${wanted - updated} of ${wanted} pods keep the old revision until they are deleted (OnDelete)`,
    );
  }
  const hash = newestHash(set, revisions);
  const counted = pods.filter(
    (pod) =>
      isControlledBy(pod, set) &&
      (byHand || hash === undefined || pod.metadata.labels?.[REVISION] === hash),
  );
  const refused = latestEvent(sight, metadata.uid, ["FailedCreate"]);
  const problems =
    refused === undefined || counted.length >= wanted
      ? []
      : [refusedPods(metadata.uid, refused.message ?? "without a reason", sight)];
  return joined({ missing, notes, problems }, assessPods(counted, sight));
}

function newestHash(set: DaemonSet, revisions: readonly ControllerRevision[]): string | undefined {
  const own = revisions.filter((revision) => isControlledBy(revision, set));
  const [newest] = own.sort((a, b) => b.revision - a.revision);
  return newest?.metadata.labels?.[REVISION];
}
