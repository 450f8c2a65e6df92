import { describe, expect, it } from "@jest/globals";
import { assessDeployment } from "../../../../shared/kubernetes/verdict/deployment.ts";
import { GRACES } from "../../../../shared/kubernetes/verdict/grace.ts";
import type { Deployment } from "../../../../shared/kubernetes/workload.ts";
import { ago, deployment, pod, replicaSet, sight, WEB } from "../objects.ts";
import { condition } from "./verdict-table.ts";

const crashing = { status: { restartCount: 5, state: { terminated: { exitCode: 1 } } } };

describe("a Deployment", () => {
  const sets = [replicaSet("1"), replicaSet("2")];

  it("is ready when its new pods are available and the old ones gone", () => {
    expect(assessDeployment(WEB, sets, [pod()], sight())).toMatchObject({
      ready: true,
      problems: [],
    });
  });

  /** [what, the deployment, words of what is missing] */
  const underway: readonly [string, Deployment, string][] = [
    [
      "not observed",
      { ...WEB, metadata: { ...WEB.metadata, generation: 3 } },
      "not seen the change",
    ],
    ["not updated", deployment({ replicas: 3 }, { replicas: 3 }), "1 of 3 pods updated"],
    ["old pods left", deployment({}, { replicas: 2 }), "1 old pod has yet to go"],
    ["not available", deployment({}, { availableReplicas: 0 }), "0 of 1 pods available"],
    ["scaling to zero", deployment({ replicas: 0 }, { replicas: 1 }), "1 pods have yet to go"],
    [
      "progress reported by an old rollout",
      deployment(
        {},
        { availableReplicas: 0, conditions: [condition("Progressing", "False", "FailedCreate")] },
      ),
      "0 of 1 pods available",
    ],
  ];
  it.each(underway)("goes on: %s", (_, object, words) => {
    const pods = [pod({ name: "old", owner: "rs1" })];
    const { ready, missing, problems } = assessDeployment(object, sets, pods, sight());
    expect({ ready, problems }).toEqual({ ready: false, problems: [] });
    expect(missing.join()).toContain(words);
  });

  describe("whose status is behind its pods", () => {
    const behind = deployment({}, { replicas: 2, updatedReplicas: 1, availableReplicas: 0 });
    const isReadyWith = (object: Deployment, ...pods: ReturnType<typeof pod>[]) =>
      assessDeployment(object, sets, pods, sight()).ready;

    it("is ready when the pods prove it", () => {
      expect(isReadyWith(behind, pod())).toBe(true);
      expect(isReadyWith(behind, pod(), pod({ name: "old", owner: "rs1", deleted: true }))).toBe(
        true,
      );
    });

    it("is not while one of the old pods is there, or one of the new is missing", () => {
      expect(isReadyWith(behind, pod(), pod({ name: "old", owner: "rs1" }))).toBe(false);
      expect(isReadyWith(behind, pod({ name: "old", owner: "rs1" }))).toBe(false);
      expect(isReadyWith(behind)).toBe(false);
      const two = deployment({ replicas: 2 }, { updatedReplicas: 2, availableReplicas: 0 });
      expect(isReadyWith(two, pod())).toBe(false);
    });

    it("is not while the old ReplicaSet is still the newest: its pods are ready, and old", () => {
      const unborn = deployment({}, { updatedReplicas: 0 });
      expect(isReadyWith(unborn, pod())).toBe(false);
    });

    it("is not while only the controller knows how long the pods have been ready", () => {
      const patient = deployment({ minReadySeconds: 5 }, { availableReplicas: 0 });
      expect(isReadyWith(patient, pod())).toBe(false);
    });

    it("is not before its change was seen", () => {
      const changed = { ...behind, metadata: { ...behind.metadata, generation: 3 } };
      expect(isReadyWith(changed, pod())).toBe(false);
    });
  });

  it("ignores the pods of old revisions and those that are going", () => {
    const others = [
      pod({ ...crashing, name: "old", owner: "rs1" }),
      pod({ ...crashing, name: "going", deleted: true }),
    ];
    expect(assessDeployment(WEB, sets, [pod(), ...others], sight())).toMatchObject({
      ready: true,
      problems: [],
    });
  });

  describe("with a pod that was evicted", () => {
    const evicted = pod({ name: "evicted", phase: "Failed" });

    it("is ready when another runs in its place, and tells of it", () => {
      const { ready, missing, notes } = assessDeployment(WEB, sets, [pod(), evicted], sight());
      expect({ ready, missing }).toEqual({ ready: true, missing: [] });
      expect(notes.join()).toContain("pod evicted ended (Failed)");
    });

    it("is not to blame, and names it among what is missing", () => {
      const short = deployment({}, { availableReplicas: 0 });
      const { ready, missing, problems } = assessDeployment(short, sets, [evicted], sight());
      expect({ ready, problems }).toEqual({ ready: false, problems: [] });
      expect(missing.join()).toMatch(/0 of 1 pods available.*pod evicted ended/);
    });
  });

  it("waits for the ReplicaSet of its revision", () => {
    expect(assessDeployment(WEB, [replicaSet("1")], [], sight()).missing).toEqual([
      "the new ReplicaSet is not there yet",
    ]);
  });

  it.each([
    ["nothing of it is out", { updatedReplicas: 0 }],
    ["half of it is out", { replicas: 3, updatedReplicas: 1 }],
    ["the old pods are still there", { replicas: 2, updatedReplicas: 1 }],
  ])("fails at once when it is paused and %s", (_, status) => {
    const halted = deployment({ paused: true, replicas: 1 }, status);
    expect(assessDeployment(halted, sets, [], sight()).problems[0]).toMatchObject({
      reason: "Paused",
      grace: 0,
    });
  });

  it("is judged as ever when it is paused and its template is out", () => {
    const out = deployment({ paused: true }, {});
    expect(assessDeployment(out, sets, [pod()], sight()).ready).toBe(true);
    const growing = deployment({ paused: true, replicas: 2 }, {});
    expect(assessDeployment(growing, sets, [pod()], sight())).toMatchObject({
      missing: ["1 of 2 pods updated"],
      problems: [],
    });
  });

  it("passes on what the API server says when it refuses pods", () => {
    const message = 'pods "web-2-x" is forbidden: exceeded quota: small';
    const refused = replicaSet("2", [condition("ReplicaFailure", "True", "FailedCreate", message)]);
    const [problem] = assessDeployment(
      deployment({}, { updatedReplicas: 0 }),
      [refused],
      [],
      sight(),
    ).problems;
    expect(problem).toMatchObject({ reason: "PodsRefused", grace: GRACES.podCreate });
    expect(problem?.message).toContain("exceeded quota: small");
  });

  it("fails when its progress deadline is exceeded, and says what stood in the way", () => {
    const conditions = [
      condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out progressing"),
    ];
    const late = deployment({}, { availableReplicas: 0, conditions });
    const problems = assessDeployment(late, sets, [pod(crashing)], sight()).problems;
    const deadline = problems.find(({ reason }) => reason === "ProgressDeadlineExceeded");
    expect(deadline?.grace).toBe(0);
    expect(deadline?.message).toMatch(/crashed 6 times.*timed out progressing/);
  });

  it("says at its progress deadline what its pods wait for, where nothing is wrong", () => {
    const conditions = [condition("Progressing", "False", "ProgressDeadlineExceeded", "too late")];
    const late = deployment({}, { availableReplicas: 0, conditions });
    const starting = pod({ init: { state: { running: { startedAt: ago(9) } } } });
    const [problem] = assessDeployment(late, sets, [starting], sight()).problems;
    expect(problem?.message).toMatch(/init container setup is running: too late$/);
  });

  it("fails when nodes end its pods again and again for what they are", () => {
    const late = deployment({}, { availableReplicas: 0 });
    const ended = (name: string, reason: string, message: string) => {
      const plain = pod({ name, phase: "Failed" });
      return { ...plain, status: { ...plain.status, phase: "Failed" as const, reason, message } };
    };
    const rejected = ["a", "b", "c"].map((name) =>
      ended(name, "SysctlForbidden", "no such sysctl"),
    );
    const problemsOf = (pods: readonly ReturnType<typeof ended>[]) =>
      assessDeployment(late, sets, pods, sight()).problems;
    expect(problemsOf(rejected)).toMatchObject([{ reason: "PodFailed", grace: 0, pod: "c" }]);
    expect(problemsOf(rejected.slice(1))).toMatchObject([{ grace: Infinity }]);
    const evicted = (message: string) =>
      problemsOf(["a", "b", "c"].map((name) => ended(name, "Evicted", message)));
    expect(evicted('Usage of EmptyDir volume "v" exceeds the limit "1Mi".')).toHaveLength(1);
    expect(evicted("The node was low on resource: memory.")).toEqual([]);
  });

  it("is ready with no replicas, and says so", () => {
    const none = deployment({ replicas: 0 }, { replicas: 0, updatedReplicas: 0 });
    expect(assessDeployment(none, sets, [], sight())).toMatchObject({
      ready: true,
      notes: ["it wants 0 replicas: nothing runs"],
    });
  });
});
