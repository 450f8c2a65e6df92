import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type Graces,
  type KubernetesObject,
  parseTarget,
  type RolloutReport,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import {
  type DeploymentParts,
  deployment,
  type Sandbox,
  sandbox,
  testWorld,
} from "../kubernetes/sandbox.ts";

/** Faults that have long grace windows, here cut short, and kinds beside Deployments. */

const SHORT: Partial<Graces> = {
  unschedulable: 1_000,
  podCreate: 2_000,
  volume: 2_000,
  probe: 1_000,
};

let box: Sandbox;
beforeAll(async () => {
  box = await sandbox("rollout-wait");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

function waitFor(resource: string, seconds = 40): Promise<RolloutReport> {
  const { world } = testWorld();
  const target = parseTarget(resource, box.namespace);
  const deadline = Date.now() + seconds * 1_000;
  return waitForRollout(box.cluster, [target], { deadline, world, graces: SHORT });
}

describe("a fault that may heal", () => {
  const faults: readonly [string, DeploymentParts, string, RegExp][] = [
    [
      "no-node",
      { pod: { nodeSelector: { disk: "none" } } },
      "Unschedulable",
      /no node takes pod no-node-.*: 0\/\d+ nodes are available/,
    ],
    [
      "no-account",
      { pod: { serviceAccountName: "missing" } },
      "PodsRefused",
      /service account.*missing.*not found/,
    ],
    [
      "no-volume",
      {
        pod: { volumes: [{ name: "v", configMap: { name: "absent" } }] },
        container: { volumeMounts: [{ name: "v", mountPath: "/v" }] },
      },
      "VolumeNotMounted",
      /configmap "absent" not found/,
    ],
    [
      "not-ready",
      {
        container: {
          readinessProbe: {
            httpGet: { path: "/none", port: 8080 },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      },
      "NotReady",
      /statuscode: 404/,
    ],
    ["paused", { paused: true }, "Paused", /the rollout is paused/],
  ];

  it.each(faults)(
    "%s",
    async (name, parts, reason, words) => {
      await box.cluster.apply(deployment(box, name, parts));
      const { verdict, cause } = await waitFor(`deployment/${name}`);
      expect({ verdict, reason: cause?.reason }).toEqual({ verdict: "failed", reason });
      expect(cause?.message).toMatch(words);
    },
    60_000,
  );

  it("is told by the quota that forbids the pods, also for a StatefulSet", async () => {
    const { cluster, namespace } = box;
    await using small = await sandbox("rollout-wait");
    const quota = {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "small", namespace: small.namespace },
      spec: { hard: { pods: "0" } },
    };
    await cluster.apply(quota);
    // The quota is enforced once its controller has counted.
    const counted = async () => {
      const read = await cluster.get<KubernetesObject & { status?: { hard?: object } }>({
        apiVersion: "v1",
        kind: "ResourceQuota",
        namespace: small.namespace,
        name: "small",
      });
      return read.status?.hard !== undefined;
    };
    while (!(await counted())) await new Promise((resolve) => setTimeout(resolve, 100));
    const web = deployment(small, "web");
    await cluster.apply(web);
    await cluster.apply(statefulSet(small, "db"));
    const reports = await Promise.all(
      ["deployment/web", "statefulset/db"].map((resource) =>
        waitForRollout(cluster, [parseTarget(resource, small.namespace)], {
          deadline: Date.now() + 40_000,
          world: testWorld().world,
          graces: SHORT,
        }),
      ),
    );
    for (const { cause } of reports) {
      expect(cause).toMatchObject({ reason: "PodsRefused" });
      expect(cause?.message).toContain("exceeded quota: small");
    }
    expect(namespace).not.toBe(small.namespace);
  }, 60_000);
});

function statefulSet(
  { namespace, endpoints }: Sandbox,
  name: string,
  command = ["httpd", "-f", "-p", "8080"],
) {
  const { spec, ...rest } = deployment({ namespace, endpoints } as Sandbox, name, {
    container: { command },
  });
  const { replicas, selector, template } = spec;
  return {
    ...rest,
    kind: "StatefulSet",
    spec: { replicas, selector, template, serviceName: name },
  };
}

describe("a rollout that takes too long", () => {
  it("says at the timeout what is missing, where nothing else is wrong", async () => {
    const slow = { container: { command: ["sleep", "600"] } };
    await box.cluster.apply(deployment(box, "too-slow", slow));
    const { verdict, cause } = await waitFor("deployment/too-slow", 3);
    expect({ verdict, reason: cause?.reason }).toEqual({ verdict: "timed-out", reason: "Timeout" });
    expect(cause?.message).toMatch(
      /not ready after 3 s: 0 of 1 pods available; pod too-slow-.*not ready/,
    );
  }, 20_000);
});

describe("kinds beside Deployments", () => {
  it("waits for a StatefulSet, a DaemonSet, a Job and a Service together", async () => {
    const { cluster, namespace, endpoints } = box;
    const { spec, ...rest } = deployment(box, "agent");
    await cluster.apply(statefulSet(box, "db"));
    await cluster.apply({
      ...rest,
      kind: "DaemonSet",
      spec: { selector: spec.selector, template: spec.template },
    });
    const container = { name: "main", image: endpoints.busyboxImage, command: ["true"] };
    await cluster.apply({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "migrate", namespace },
      spec: { template: { spec: { restartPolicy: "Never", containers: [container] } } },
    });
    await cluster.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "db", namespace },
      spec: { selector: { app: "db" }, ports: [{ port: 80 }] },
    });
    const names = ["statefulset/db", "ds/agent", "job/migrate", "svc/db"];
    const { world } = testWorld();
    const targets = names.map((name) => parseTarget(name, namespace));
    const report = await waitForRollout(cluster, targets, { deadline: Date.now() + 40_000, world });
    expect(report.resources.map(({ state }) => state)).toEqual([
      "ready",
      "ready",
      "ready",
      "ready",
    ]);
  }, 60_000);

  it("tells of a Job that failed, with its exit code and last words", async () => {
    const { cluster, namespace, endpoints } = box;
    const container = {
      name: "main",
      image: endpoints.busyboxImage,
      command: ["sh", "-c", "echo table missing; exit 4"],
    };
    await cluster.apply({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "broken", namespace },
      spec: {
        backoffLimit: 0,
        template: { spec: { restartPolicy: "Never", containers: [container] } },
      },
    });
    const { cause, evidence } = await waitFor("job/broken");
    expect(cause).toMatchObject({ reason: "JobFailed", exitCode: 4 });
    expect(evidence.logs.flatMap(({ lines }) => lines)).toContain("table missing");
  }, 60_000);

  it("fails when what it waits for is deleted", async () => {
    await box.cluster.apply(deployment(box, "gone", { container: { command: ["sleep", "600"] } }));
    const { world, lines } = testWorld();
    const target = parseTarget("deployment/gone", box.namespace);
    const waiting = waitForRollout(box.cluster, [target], { deadline: Date.now() + 40_000, world });
    while (!lines.some((line) => line.includes("not ready")))
      await new Promise((resolve) => setTimeout(resolve, 50));
    await box.cluster.delete(target);
    expect((await waiting).cause).toMatchObject({ reason: "Deleted" });
  }, 60_000);
});
