import type { Clock } from "../../world/index.ts";
import { ApiError, isNotFound } from "../api-error.ts";
import type { Cluster } from "../cluster.ts";
import { isControlledBy, type ObjectRef, refOf } from "../object.ts";
import { isReady } from "../verdict/pod.ts";
import type { Pod, StatefulSet } from "../workload.ts";

const REVISION = "controller-revision-hash";
/** Longest wait for the controller to see the change, and for pods to hold still. */
const PATIENCE_MS = 3_000;
const LOOK_MS = 100;

/**
 * Deletes the pods that keep a StatefulSet from going back to an earlier revision. Its controller
 * waits for a pod that is not ready before it replaces it, also when that pod is of the broken
 * revision and never will be (kubernetes/kubernetes#67250).
 *
 * @returns the names of the pods that were deleted.
 * @throws {ApiError} when pods may not be read or deleted.
 */
export async function unblockStatefulSet(
  cluster: Cluster,
  ref: ObjectRef,
  clock: Clock,
): Promise<readonly string[]> {
  const giveUpAt = clock.now() + PATIENCE_MS;
  for (;;) {
    const late = clock.now() >= giveUpAt;
    const set = await cluster.find<StatefulSet>(ref);
    if (set === undefined) return [];
    if (!isObserved(set) && !late) {
      await clock.sleep(LOOK_MS);
      continue;
    }
    const { items } = await cluster.list<Pod>({ ...PODS, namespace: ref.namespace });
    const stuck = stuckPods(set, items);
    try {
      for (const pod of stuck) {
        await cluster.delete(podRef(pod), { resourceVersion: pod.metadata.resourceVersion });
      }
      return stuck.map(({ metadata }) => metadata.name);
    } catch (error) {
      // It changed since it was read, perhaps for the better.
      const changed = error instanceof ApiError && error.status === 409;
      if (!(changed || isNotFound(error)) || late) throw error;
    }
  }
}

/** The pods that a rolling update is to replace, and that are not ready. */
export function stuckPods(set: StatefulSet, pods: readonly Pod[]): readonly Pod[] {
  const { updateStrategy } = set.spec;
  const wanted = set.status?.updateRevision;
  if (updateStrategy?.type === "OnDelete" || wanted === undefined || !isObserved(set)) return [];
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  return pods.filter(
    (pod) =>
      isControlledBy(pod, set) &&
      pod.metadata.deletionTimestamp === undefined &&
      pod.metadata.labels?.[REVISION] !== wanted &&
      ordinalOf(pod) >= partition &&
      !isReady(pod),
  );
}

function isObserved({ metadata, status }: StatefulSet): boolean {
  return (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
}

function ordinalOf({ metadata }: Pod): number {
  return Number(/-(\d+)$/.exec(metadata.name)?.[1] ?? Number.NaN);
}

const PODS = { apiVersion: "v1", kind: "Pod" } as const;

function podRef(pod: Pod): ObjectRef {
  return { ...refOf(pod), ...PODS };
}
