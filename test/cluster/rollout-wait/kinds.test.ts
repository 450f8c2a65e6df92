import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type Graces,
  type KubernetesObject,
  type ObjectRef,
  parseTarget,
  type RolloutReport,
  refOf,
  type Target,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";
import {
  autoscaler,
  budget,
  claim,
  definition,
  make,
  service,
  storageClass,
} from "./kind-objects.ts";

const random = randomBytes(3).toString("hex");
const GROUP = `wait-${random}.example.com`;
const GATEWAYS = "gateway.networking.k8s.io";
const LATE = `late-${random}`;
const NOW = `now-${random}`;
const LOST_NODE = `lost-${random}`;

const GRACES: Partial<Graces> = {
  // Short, so that what does not heal is seen not to.
  reference: 1_000,
  metrics: 2_000,
  unprobed: 0,
  // Long, for a busy machine: what these scenes do to their objects comes before.
  silence: 30_000,
  absent: 30_000,
};

interface Scene {
  readonly name: string;
  /** What is there; the target is named by `wait`. */
  readonly objects: (box: Sandbox) => readonly object[];
  readonly wait: string;
  readonly more?: Partial<Target>;
  readonly seconds?: number;
  readonly graces?: Partial<Graces>;
  /** What happens once a line of the log holds these words. */
  readonly meanwhile?: readonly [words: string, change: (box: Sandbox) => Promise<unknown>];
  readonly verdict: RolloutReport["verdict"];
  readonly reason?: string;
  /** Of the cause, what is missing, or the notes. */
  readonly words: string;
}

let box: Sandbox;
const reports = new Map<string, RolloutReport>();
const leftovers: ObjectRef[] = [];

/** Writes the status, as a controller does. */
async function status(ref: string, value: object): Promise<unknown> {
  const target = parseTarget(ref, box.namespace);
  return box.cluster.patch(target, { status: value }, "merge", STATUS);
}

const STATUS = { subresource: "status" } as const;

const address = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
const idle = (name: string) => deployment(box, name, { container: { command: ["sleep", "600"] } });
const web = (name: string, replicas = 1) => deployment(box, name, { replicas });
const job = (name: string, spec: object, command = ["true"]) =>
  make("batch/v1", "Job", box.namespace, name, {
    spec: {
      ...spec,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "main", image: box.endpoints.busyboxImage, command }],
        },
      },
    },
  });
const gateway = (name: string, spec: object = {}) =>
  make(`${GATEWAYS}/v1`, "Gateway", box.namespace, name, {
    spec: { gatewayClassName: "none", ...spec },
  });
const route = (name: string) =>
  make(`${GATEWAYS}/v1`, "HTTPRoute", box.namespace, name, {
    spec: { parentRefs: [{ name: "public" }] },
  });
const widget = (name: string, kind = "Widget") => make(`${GROUP}/v1`, kind, box.namespace, name);
const WIDGET = `Widget.v1.${GROUP}`;
const GATEWAY = `Gateway.v1.${GATEWAYS}`;
const ROUTE = `HTTPRoute.v1.${GATEWAYS}`;
const said = (type: string, value: "True" | "False", reason: string, generation = 1) => ({
  type,
  status: value,
  reason,
  message: `${reason} it is`,
  observedGeneration: generation,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const demand = (path: string, value: string): Pick<Target, "demand"> => {
  const query = path.split(".").map((name) => ({ kind: "name", name }) as const);
  return {
    demand: { kind: "jsonpath", text: `{.${path}}=${value}`, path: `{.${path}}`, query, value },
  };
};

const scenes: readonly Scene[] = [
  {
    name: "an autoscaler without metrics",
    objects: ({ namespace }) => [web("scaled"), autoscaler(namespace, "scaled", "scaled")],
    wait: "hpa/scaled",
    seconds: 60,
    verdict: "failed",
    reason: "NoMetrics",
    words: "FailedGetResourceMetric",
  },
  {
    name: "an autoscaler of nothing",
    objects: ({ namespace }) => [autoscaler(namespace, "unscaled", "nothing")],
    wait: "hpa/unscaled",
    seconds: 60,
    verdict: "failed",
    reason: "CannotScale",
    words: 'deployments.apps "nothing" not found',
  },
  {
    name: "an autoscaler whose target has no replicas",
    objects: ({ namespace }) => [web("off", 0), autoscaler(namespace, "off", "off")],
    wait: "hpa/off",
    seconds: 60,
    verdict: "ready",
    words: "its target has 0 replicas",
  },
  {
    name: "a budget that is met when its pods are ready",
    objects: ({ namespace }) => [web("kept", 2), budget(namespace, "kept", "kept", 1)],
    wait: "pdb/kept",
    verdict: "ready",
    words: "",
  },
  {
    name: "a budget that is not met",
    objects: ({ namespace }) => [idle("unkept"), budget(namespace, "unkept", "unkept", 1)],
    wait: "pdb/unkept",
    seconds: 12,
    verdict: "timed-out",
    reason: "Timeout",
    words: "0 of the 1 pods that it demands are healthy",
  },
  {
    name: "a budget that can never be met",
    objects: ({ namespace }) => [web("greedy"), budget(namespace, "greedy", "greedy", 3)],
    wait: "pdb/greedy",
    verdict: "ready",
    words: "it demands 3 healthy pods where 1 are wanted",
  },
  {
    name: "a budget of pods that nobody counts",
    objects: ({ namespace }) => {
      // A Job has no scale that a share could be taken of.
      const labels = { app: "alone" };
      const { spec } = idle("alone").spec.template;
      const template = { metadata: { labels }, spec: { ...spec, restartPolicy: "Never" } };
      return [
        make("batch/v1", "Job", namespace, "alone", { spec: { template } }),
        budget(namespace, "alone", "alone", "50%"),
      ];
    },
    wait: "pdb/alone",
    verdict: "failed",
    reason: "BudgetNotComputed",
    words: "SyncFailed",
  },
  {
    name: "a definition",
    objects: () => [definition(GROUP, "cogs", "Cog")],
    wait: `crd/cogs.${GROUP}`,
    verdict: "ready",
    words: "",
  },
  {
    name: "a definition whose kind is taken",
    objects: () => [definition(GROUP, "gadgets", "Widget")],
    wait: `crd/gadgets.${GROUP}`,
    verdict: "failed",
    reason: "NamesNotAccepted",
    words: "NamesAccepted is False",
  },
  {
    name: "an APIService without its Service",
    objects: ({ namespace }) => [
      {
        apiVersion: "apiregistration.k8s.io/v1",
        kind: "APIService",
        metadata: { name: `v1.api-${GROUP}` },
        spec: {
          group: `api-${GROUP}`,
          version: "v1",
          groupPriorityMinimum: 100,
          versionPriority: 100,
          insecureSkipTLSVerify: true,
          service: { name: "nothing", namespace },
        },
      },
    ],
    wait: `apiservice/v1.api-${GROUP}`,
    verdict: "failed",
    reason: "APIServiceUnavailable",
    words: "ServiceNotFound",
  },
  {
    name: "a claim that waits for its first pod",
    objects: ({ namespace }) => [
      storageClass(LATE, "WaitForFirstConsumer"),
      claim(namespace, "late", LATE),
    ],
    wait: "pvc/late",
    verdict: "ready",
    words: "it is bound when the first pod uses it",
  },
  {
    name: "a claim that gets no volume",
    objects: ({ namespace }) => [claim(namespace, "none", "")],
    wait: "pvc/none",
    // Only here: a young namespace mounts its pods' own volumes late.
    graces: { volume: 1_000 },
    verdict: "failed",
    reason: "VolumeNotBound",
    words: "no persistent volumes available",
  },
  {
    name: "a claim that a volume fits",
    objects: ({ namespace }) => [
      storageClass(NOW, "Immediate"),
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: NOW },
        spec: {
          accessModes: ["ReadWriteOnce"],
          capacity: { storage: "1Mi" },
          hostPath: { path: "/tmp" },
          storageClassName: NOW,
          persistentVolumeReclaimPolicy: "Retain",
        },
      },
      claim(namespace, "now", NOW),
    ],
    wait: "pvc/now",
    verdict: "ready",
    words: "",
  },
  {
    name: "a DaemonSet on a node that is not there",
    objects: ({ namespace }) => {
      const { apiVersion, metadata, spec } = web("agent");
      const { selector, template } = spec;
      // Like an agent that every node must have, whatever its state.
      const tolerations = [{ operator: "Exists" }];
      const pod = { ...template.spec, tolerations };
      return [
        {
          apiVersion,
          kind: "DaemonSet",
          metadata: { ...metadata, namespace },
          spec: { selector, template: { ...template, spec: pod } },
        },
      ];
    },
    wait: "ds/agent",
    verdict: "ready",
    words: `not waited for on 1 node that is not ready: ${LOST_NODE}`,
  },
  {
    name: "a suspended Job",
    objects: () => [job("later", { suspend: true })],
    wait: "job/later",
    verdict: "ready",
    words: "it is suspended",
  },
  {
    name: "a Job that is removed when it is done",
    objects: () => [job("brief", { ttlSecondsAfterFinished: 0 }, ["sleep", "2"])],
    wait: "job/brief",
    verdict: "ready",
    words: "",
  },
  {
    name: "a Job that is removed when it has failed",
    objects: () => [
      job("brief-failure", { ttlSecondsAfterFinished: 0, backoffLimit: 0 }, [
        "sh",
        "-c",
        "sleep 2; exit 3",
      ]),
    ],
    wait: "job/brief-failure",
    verdict: "failed",
    reason: "JobFailed",
    words: "BackoffLimitExceeded",
  },
  {
    name: "a Deployment that is paused",
    objects: () => [deployment(box, "halted", { paused: true })],
    wait: "deployment/halted",
    verdict: "failed",
    reason: "Paused",
    words: "spec.paused",
  },
  {
    name: "a ReplicaSet and a ReplicationController that stand alone",
    objects: ({ namespace }) => {
      const { spec } = web("old");
      const selector = { app: "old" };
      return [
        make("v1", "ReplicationController", namespace, "old", {
          spec: { replicas: 1, selector, template: spec.template },
        }),
      ];
    },
    wait: "rc/old",
    verdict: "ready",
    words: "",
  },
  {
    name: "a Service for which nothing makes pods",
    objects: ({ namespace }) => [service(namespace, "astray", { selector: { app: "astry" } })],
    wait: "svc/astray",
    seconds: 12,
    verdict: "timed-out",
    reason: "Timeout",
    words: "no pod matches its selector (app=astry), and no workload here makes such pods",
  },
  {
    name: "a Service whose workload wants no pods",
    objects: ({ namespace }) => [
      web("asleep", 0),
      service(namespace, "asleep", { selector: { app: "asleep" } }),
    ],
    wait: "svc/asleep",
    verdict: "ready",
    words: "its workloads want 0 pods",
  },
  {
    name: "a load balancer that gets its address",
    objects: ({ namespace }) => [
      web("public"),
      service(namespace, "public", { type: "LoadBalancer", selector: { app: "public" } }),
    ],
    wait: "svc/public",
    meanwhile: ["no address yet", () => status("svc/public", address)],
    verdict: "ready",
    words: "",
  },
  {
    name: "an Ingress that gets its address",
    objects: ({ namespace }) => [
      make("networking.k8s.io/v1", "Ingress", namespace, "public", {
        spec: {
          ingressClassName: "none",
          defaultBackend: { service: { name: "public", port: { number: 80 } } },
        },
      }),
    ],
    wait: "ing/public",
    meanwhile: ["there is no IngressClass none", () => status("ing/public", address)],
    verdict: "ready",
    words: "",
  },
  {
    name: "a Gateway that its controller takes",
    objects: () => [gateway("public")],
    wait: `${GATEWAY}/public`,
    meanwhile: [
      "no controller of class none has spoken",
      () =>
        status(`${GATEWAY}/public`, {
          conditions: [said("Accepted", "True", "Accepted"), said("Programmed", "True", "Done")],
          addresses: [{ value: "192.0.2.1" }],
        }),
    ],
    verdict: "ready",
    words: "",
  },
  {
    name: "a Gateway that was changed since its controller looked",
    objects: () => [gateway("changed", { listeners: [] })],
    wait: `${GATEWAY}/changed`,
    meanwhile: [
      "no controller of class none has spoken",
      async () => {
        await status(`${GATEWAY}/changed`, {
          conditions: [said("Accepted", "True", "Accepted", 0), said("Programmed", "True", "", 0)],
          addresses: [{ value: "192.0.2.1" }],
        });
      },
    ],
    seconds: 12,
    verdict: "timed-out",
    reason: "Timeout",
    words: "has not said of the newest change whether it is accepted",
  },
  {
    name: "an HTTPRoute that leads nowhere",
    objects: () => [route("astray")],
    wait: `${ROUTE}/astray`,
    meanwhile: [
      "no controller has spoken for gateway/public",
      () =>
        status(`${ROUTE}/astray`, {
          parents: [
            {
              parentRef: { name: "public" },
              controllerName: "example.com/none",
              conditions: [
                said("Accepted", "True", "Accepted"),
                said("ResolvedRefs", "False", "BackendNotFound"),
              ],
            },
          ],
        }),
    ],
    verdict: "failed",
    reason: "RouteUnresolved",
    words: "ResolvedRefs is False (BackendNotFound: BackendNotFound it is)",
  },
  {
    name: "a custom resource by its conditions",
    objects: () => [widget("ready")],
    wait: `${WIDGET}/ready`,
    meanwhile: [
      "it reports nothing yet",
      async () => {
        const conditions = [said("Ready", "False", "Building")];
        await status(`${WIDGET}/ready`, { conditions });
        await status(`${WIDGET}/ready`, { conditions: [said("Ready", "True", "Built")] });
      },
    ],
    verdict: "ready",
    words: "",
  },
  {
    name: "a custom resource that has given up",
    objects: () => [widget("stalled")],
    wait: `${WIDGET}/stalled`,
    meanwhile: [
      "it reports nothing yet",
      () => status(`${WIDGET}/stalled`, { conditions: [said("Stalled", "True", "BadSpec")] }),
    ],
    verdict: "failed",
    reason: "Stalled",
    words: "BadSpec it is",
  },
  {
    name: "a custom resource by a value of its user's",
    objects: () => [widget("blue")],
    wait: `${WIDGET}/blue`,
    more: demand("status.phase", "Running"),
    meanwhile: [
      "it has no value at {.status.phase}",
      async () => {
        await status(`${WIDGET}/blue`, { phase: "Pending" });
        await status(`${WIDGET}/blue`, { phase: "Running" });
      },
    ],
    verdict: "ready",
    words: "",
  },
  {
    name: "a custom resource whose definition comes late",
    objects: () => [],
    wait: `Sprocket.v1.late.${GROUP}/first`,
    meanwhile: [
      "the cluster does not know its kind",
      async () => {
        const kind = definition(`late.${GROUP}`, "sprockets", "Sprocket");
        leftovers.push(refOf(kind));
        await box.cluster.apply(kind);
        const first = make(`late.${GROUP}/v1`, "Sprocket", box.namespace, "first");
        await applied(first);
        const conditions = [said("Ready", "True", "Turning")];
        await status(`Sprocket.v1.late.${GROUP}/first`, { conditions });
      },
    ],
    verdict: "ready",
    words: "",
  },
];

/** Applies an object, also of a kind that was defined a moment ago. */
async function applied(object: KubernetesObject): Promise<void> {
  for (;;) {
    try {
      await box.cluster.apply(object);
      return;
    } catch (error) {
      if (!/no kind|not found|404/.test(String((error as Error).message))) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function play({
  objects,
  wait,
  more,
  seconds = 40,
  graces,
  meanwhile,
}: Scene): Promise<RolloutReport> {
  for (const object of objects(box) as KubernetesObject[]) {
    if (object.metadata.namespace === undefined) leftovers.push(refOf(object));
    await applied(object);
  }
  const { world, lines } = testWorld();
  const target = { ...parseTarget(wait, box.namespace), ...more };
  const waiting = waitForRollout(box.cluster, [target], {
    deadline: Date.now() + seconds * 1_000,
    world,
    graces: { ...GRACES, ...graces },
  });
  if (meanwhile !== undefined) {
    const [words, change] = meanwhile;
    const over = waiting.then(
      () => true,
      () => true,
    );
    while (!lines.some((line) => line.includes(words))) {
      const pause = new Promise<false>((resolve) => setTimeout(() => resolve(false), 50));
      if (await Promise.race([over, pause])) break;
    }
    await change(box);
  }
  return waiting;
}

/** A node without a kubelet, on which nothing is placed that does not bear everything. */
async function lostNode(): Promise<void> {
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: LOST_NODE },
    spec: { taints: [{ key: "example.com/lost", effect: "NoSchedule" }] },
  };
  leftovers.push(refOf(node));
  await box.cluster.apply(node);
  const room = { cpu: "1", memory: "1Gi", pods: "10" };
  const condition = { type: "Ready", status: "False", reason: "KubeletNotReady" };
  const now = new Date().toISOString();
  await box.cluster.patch(
    refOf(node),
    {
      status: {
        capacity: room,
        allocatable: room,
        conditions: [{ ...condition, lastHeartbeatTime: now, lastTransitionTime: now }],
      },
    },
    "merge",
    STATUS,
  );
}

beforeAll(async () => {
  box = await sandbox("rollout-wait");
  await lostNode();
  const kinds = [
    definition(GROUP, "widgets", "Widget"),
    definition(GATEWAYS, "gateways", "Gateway"),
    definition(GATEWAYS, "httproutes", "HTTPRoute"),
  ];
  for (const kind of kinds) {
    if ((await box.cluster.find(refOf(kind))) !== undefined) continue;
    leftovers.push(refOf(kind));
    await box.cluster.apply(kind);
  }
  await Promise.all(scenes.map(async (scene) => void reports.set(scene.name, await play(scene))));
}, 120_000);

afterAll(async () => {
  for (const ref of leftovers.reverse()) await box?.cluster.delete(ref);
  await box?.[Symbol.asyncDispose]();
}, 60_000);

describe("kinds beside workloads", () => {
  it.each(scenes)("$name: $verdict", ({ name, verdict, reason, words }) => {
    const report = reports.get(name);
    const [resource] = report?.resources ?? [];
    const told = [report?.cause?.message, ...(resource?.missing ?? []), ...(resource?.notes ?? [])];
    expect([report?.verdict, report?.cause?.reason, told.join("; ")]).toEqual([
      verdict,
      reason,
      expect.stringContaining(words),
    ]);
  });
});

describe("a StatefulSet that is not to be updated whole", () => {
  const set = (name: string, version: string, updateStrategy: object) => {
    const { metadata, spec, ...rest } = web(name, 2);
    const { selector, template } = spec;
    const environment = [{ name: "VERSION", value: version }];
    const containers = template.spec.containers.map((one) => ({ ...one, env: environment }));
    const pod = { ...template, spec: { ...template.spec, containers } };
    return {
      ...rest,
      kind: "StatefulSet",
      metadata,
      spec: {
        replicas: 2,
        serviceName: name,
        podManagementPolicy: "Parallel",
        selector,
        updateStrategy,
        template: pod,
      },
    } as KubernetesObject;
  };

  it.each<[string, object, string]>([
    [
      "half",
      { type: "RollingUpdate", rollingUpdate: { partition: 1 } },
      "pods below number 1 keep the old revision (partition)",
    ],
    ["by-hand", { type: "OnDelete" }, "2 of 2 pods keep the old revision until they are deleted"],
  ])(
    "%s: is ready, and says what keeps the old revision",
    async (name, strategy, note) => {
      const wait = async () => {
        const { world } = testWorld();
        const target = parseTarget(`sts/${name}`, box.namespace);
        return waitForRollout(box.cluster, [target], { deadline: Date.now() + 60_000, world });
      };
      await box.cluster.apply(set(name, "1", strategy));
      expect((await wait()).verdict).toBe("ready");
      await box.cluster.apply(set(name, "2", strategy));
      const { verdict, resources } = await wait();
      expect(verdict).toBe("ready");
      expect(resources[0]?.notes.join()).toContain(note);
    },
    90_000,
  );
});
