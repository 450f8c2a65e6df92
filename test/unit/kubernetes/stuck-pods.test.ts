import { describe, expect, it } from "@jest/globals";
import { stuckPods } from "../../../shared/kubernetes/rollout/unblock.ts";
import type { StatefulSet } from "../../../shared/kubernetes/workload.ts";
import { type PodParts, pod } from "./objects.ts";

const set: StatefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "db", namespace: "shop", uid: "s1", generation: 3 },
  spec: { replicas: 2 },
  status: { observedGeneration: 3, updateRevision: "good" },
};
const broken: PodParts = {
  name: "db-1",
  owner: "s1",
  labels: { "controller-revision-hash": "bad" },
  status: { restartCount: 3, state: { waiting: { reason: "CrashLoopBackOff" } } },
};
const strategy = (updateStrategy: object): StatefulSet => ({ ...set, spec: { updateStrategy } });

describe("stuck pods of a StatefulSet", () => {
  it("are those of another revision that are not ready", () => {
    expect(stuckPods(set, [pod(broken)])).toHaveLength(1);
  });

  /** [what, the set, the pod] */
  const others: readonly [string, StatefulSet, PodParts][] = [
    [
      "of the revision that is wanted",
      set,
      { ...broken, labels: { "controller-revision-hash": "good" } },
    ],
    ["ready", set, { name: "db-1", owner: "s1", labels: { "controller-revision-hash": "bad" } }],
    ["going", set, { ...broken, deleted: true }],
    ["somebody else's", set, { ...broken, owner: "s2" }],
    ["below the partition", strategy({ rollingUpdate: { partition: 2 } }), broken],
    ["left to people", strategy({ type: "OnDelete" }), broken],
    ["not judged yet", { ...set, metadata: { ...set.metadata, generation: 4 } }, broken],
  ];
  it.each(others)("are none that are %s", (_, owner, parts) => {
    expect(stuckPods(owner, [pod(parts)])).toEqual([]);
  });
});
