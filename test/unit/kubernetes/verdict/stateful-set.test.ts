import { describe, expect, it } from "@jest/globals";
import { GRACES } from "../../../../shared/kubernetes/verdict/grace.ts";
import { assessStatefulSet } from "../../../../shared/kubernetes/verdict/stateful-set.ts";
import type { StatefulSet } from "../../../../shared/kubernetes/workload.ts";
import { event, pod, seeing, sight } from "../objects.ts";

const crashing = { status: { restartCount: 5, state: { terminated: { exitCode: 1 } } } };

describe("a StatefulSet", () => {
  const set = (spec: StatefulSet["spec"], status: StatefulSet["status"]): StatefulSet => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace: "shop", uid: "s1", generation: 1 },
    spec: { replicas: 3, ...spec },
    status: {
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      updatedReplicas: 3,
      currentRevision: "a",
      updateRevision: "b",
      ...status,
    },
  });
  const member = (name: string, hash: string, more: Parameters<typeof pod>[0] = {}) =>
    pod({ name, owner: "s1", labels: { "controller-revision-hash": hash }, ...more });
  const all = ["db-0", "db-1", "db-2"].map((name) => member(name, "b"));

  it("is ready when every pod is updated and ready", () => {
    expect(assessStatefulSet(set({}, {}), all, sight()).ready).toBe(true);
  });

  it("updates no pod below its partition", () => {
    const partitioned = set(
      { updateStrategy: { rollingUpdate: { partition: 2 } } },
      { updatedReplicas: 1 },
    );
    const result = assessStatefulSet(partitioned, all, sight());
    expect(result.ready).toBe(true);
    expect(result.notes.join()).toContain("pods below number 2 keep the old revision");
  });

  it("is ready with OnDelete, and says what is not updated", () => {
    const byHand = set({ updateStrategy: { type: "OnDelete" } }, { updatedReplicas: 0 });
    const result = assessStatefulSet(
      byHand,
      ["db-0"].map((name) => member(name, "a")),
      sight(),
    );
    expect(result.ready).toBe(true);
    expect(result.notes.join()).toContain("3 of 3 pods keep the old revision");
  });

  it("names a broken pod of the old revision, which blocks the update", () => {
    const stuck = set({}, { updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2 });
    const { missing, problems } = assessStatefulSet(
      stuck,
      [member("db-2", "b"), member("db-1", "a", crashing)],
      sight(),
    );
    expect(problems).toMatchObject([{ reason: "Blocked", grace: GRACES.blocked, pod: "db-1" }]);
    expect(missing.join()).toContain(
      "pod db-1 of the old revision is not ready and may block the update",
    );
  });

  it("is not blocked where its controller handles pods in parallel, nor by one that starts", () => {
    const stuck = { updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2 };
    const parallel = set({ podManagementPolicy: "Parallel" }, stuck);
    const pods = [member("db-2", "b"), member("db-1", "a", crashing)];
    expect(assessStatefulSet(parallel, pods, sight()).problems).toEqual([]);
    const starting = member("db-1", "a", { status: { restartCount: 0 } });
    expect(assessStatefulSet(set({}, stuck), [starting], sight()).problems).toEqual([]);
  });

  it("learns from events alone that its pods are refused", () => {
    const short = set(
      {},
      { replicas: 0, readyReplicas: 0, availableReplicas: 0, updatedReplicas: 0 },
    );
    const failed = event("s1", "FailedCreate", "create Pod db-0 failed: exceeded quota");
    const [problem] = assessStatefulSet(short, [], seeing([failed])).problems;
    expect(problem).toMatchObject({ reason: "PodsRefused", grace: GRACES.podCreate });
  });
});
