import { describe, expect, it } from "@jest/globals";
import type { KubernetesObject } from "../../../shared/kubernetes/object.ts";
import { assess } from "../../../shared/kubernetes/verdict/assess.ts";
import { assessDeployment } from "../../../shared/kubernetes/verdict/deployment.ts";
import { GRACES } from "../../../shared/kubernetes/verdict/grace.ts";
import { assessJob } from "../../../shared/kubernetes/verdict/job.ts";
import { assessStatefulSet } from "../../../shared/kubernetes/verdict/stateful-set.ts";
import type {
  Deployment,
  Job,
  StatefulSet,
  Terminated,
} from "../../../shared/kubernetes/workload.ts";
import { deployment, event, pod, replicaSet, seeing, sight, WEB } from "./objects.ts";

const crashing = { status: { restartCount: 5, state: { terminated: { exitCode: 1 } } } };
const condition = (type: string, status: "True" | "False", reason: string, message = "") => ({
  type,
  status,
  reason,
  message,
});

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
    const { ready, missing, problems } = assessDeployment(object, sets, [pod()], sight());
    expect({ ready, problems }).toEqual({ ready: false, problems: [] });
    expect(missing.join()).toContain(words);
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

  it("fails at once when it is paused before its template is out", () => {
    const halted = deployment({ paused: true }, { updatedReplicas: 0 });
    expect(assessDeployment(halted, sets, [], sight()).problems[0]).toMatchObject({
      reason: "Paused",
      grace: 0,
    });
    const out = deployment({ paused: true }, {});
    expect(assessDeployment(out, sets, [pod()], sight()).ready).toBe(true);
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

  it("is ready with no replicas, and says so", () => {
    const none = deployment({ replicas: 0 }, { replicas: 0, updatedReplicas: 0 });
    expect(assessDeployment(none, sets, [], sight())).toMatchObject({
      ready: true,
      notes: ["it wants 0 replicas: nothing runs"],
    });
  });
});

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
    expect(problems).toEqual([]);
    expect(missing.join()).toContain(
      "pod db-1 of the old revision is not ready and may block the update",
    );
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

describe("a Job", () => {
  const job = (status: object): Job => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "migrate", namespace: "shop", uid: "j1" },
    spec: {},
    status,
  });
  const ended = (run: Terminated) =>
    pod({
      owner: "j1",
      phase: "Failed",
      restartPolicy: "Never",
      status: { state: { terminated: run } },
    });

  it("fails at the first pod whose program does not exist, for no retry helps", () => {
    const run = {
      exitCode: 128,
      reason: "StartError",
      message: 'exec: "/no": no such file or directory',
    };
    const [problem] = assessJob(job({ active: 1, failed: 1 }), [ended(run)], sight()).problems;
    expect(problem).toMatchObject({ reason: "CannotStart", grace: 0 });
  });

  it("goes on after a pod that crashed, for it may be tried again", () => {
    const pods = [ended({ exitCode: 1 })];
    const { ready, problems } = assessJob(job({ active: 1, failed: 1 }), pods, sight());
    expect({ ready, problems }).toEqual({ ready: false, problems: [] });
  });

  it("tells how its last pod ended, and its last words", () => {
    const failed = job({ conditions: [condition("Failed", "True", "BackoffLimitExceeded")] });
    const words = sight({ lastWords: () => "fatal: bad schema" });
    const [problem] = assessJob(failed, [ended({ exitCode: 137 })], words).problems;
    expect(problem?.message).toContain(
      "ended with exit code 137 (SIGKILL); its last words: fatal: bad schema",
    );
  });
});

describe("other kinds", () => {
  const object = (apiVersion: string, kind: string, rest: object): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name: "x", namespace: "shop", uid: "u1", generation: 2 },
    ...rest,
  });
  const nothing = { pods: [], replicaSets: [], revisions: [] };

  /** [what, the object, ready?, words of missing or notes, reason of a problem] */
  const cases: readonly [string, KubernetesObject, boolean, string, string?][] = [
    [
      "job done",
      object("batch/v1", "Job", {
        spec: {},
        status: { conditions: [condition("Complete", "True", "")] },
      }),
      true,
      "",
    ],
    [
      "job running",
      object("batch/v1", "Job", { spec: {}, status: { active: 1 } }),
      false,
      "0 of 1 completions, 1 running",
    ],
    [
      "job failed",
      object("batch/v1", "Job", {
        spec: {},
        status: { conditions: [condition("Failed", "True", "BackoffLimitExceeded", "too many")] },
      }),
      false,
      "it failed",
      "JobFailed",
    ],
    ["job suspended", object("batch/v1", "Job", { spec: { suspend: true } }), true, "suspended"],
    ["cron job", object("batch/v1", "CronJob", { spec: {} }), true, "schedule"],
    [
      "daemon set",
      object("apps/v1", "DaemonSet", {
        spec: {},
        status: {
          observedGeneration: 2,
          desiredNumberScheduled: 2,
          updatedNumberScheduled: 1,
          numberAvailable: 1,
        },
      }),
      false,
      "1 of 2 nodes updated",
    ],
    [
      "daemon set for no node",
      object("apps/v1", "DaemonSet", { spec: {}, status: { observedGeneration: 2 } }),
      true,
      "no node matches",
    ],
    [
      "claim bound",
      object("v1", "PersistentVolumeClaim", { status: { phase: "Bound" } }),
      true,
      "",
    ],
    [
      "claim lost",
      object("v1", "PersistentVolumeClaim", { status: { phase: "Lost" } }),
      false,
      "lost",
      "VolumeLost",
    ],
    [
      "service without pods",
      object("v1", "Service", { spec: { selector: { app: "x" } } }),
      false,
      "no pod matches its selector (app=x)",
    ],
    [
      "service by name",
      object("v1", "Service", { spec: { type: "ExternalName" } }),
      true,
      "another name",
    ],
    [
      "load balancer",
      object("v1", "Service", { spec: { type: "LoadBalancer", selector: { app: "x" } } }),
      false,
      "no address yet",
    ],
    ["config map", object("v1", "ConfigMap", {}), true, "it exists and reports no readiness"],
    [
      "custom, ready",
      object("x.io/v1", "Widget", { status: { conditions: [condition("Ready", "True", "")] } }),
      true,
      "",
    ],
    [
      "custom, not ready",
      object("x.io/v1", "Widget", {
        status: { conditions: [condition("Ready", "False", "Building", "2 of 3")] },
      }),
      false,
      "Ready is False: Building: 2 of 3",
    ],
    [
      "custom, old",
      object("x.io/v1", "Widget", {
        status: { observedGeneration: 1, conditions: [condition("Ready", "True", "")] },
      }),
      false,
      "not seen the change",
    ],
    [
      "custom, stalled",
      object("x.io/v1", "Widget", {
        status: { conditions: [condition("Stalled", "True", "BadSpec", "no such size")] },
      }),
      false,
      "stalled",
      "Stalled",
    ],
    [
      "custom, names refused",
      object("apiextensions.k8s.io/v1", "CustomResourceDefinition", {
        status: { conditions: [condition("NamesAccepted", "False", "Conflict")] },
      }),
      false,
      "stalled",
      "Stalled",
    ],
  ];
  it.each(cases)("%s", (_, ...[subject, ready, words, reason]) => {
    const result = assess(subject, nothing, sight());
    expect(result.ready).toBe(ready);
    expect([...result.missing, ...result.notes].join()).toContain(words);
    expect(result.problems.map((problem) => problem.reason)).toEqual(
      reason === undefined ? [] : [reason],
    );
  });
});
