import { type Cluster, follow, type KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { Deployment } from "../../../shared/kubernetes/workload.ts";

export const PODS_EACH = 5;
/** What tells pods of the new version from those of the old. */
export const VERSION_LABEL = "bench-version";
const NODES = 25;
const PODS_PER_NODE = 1_000;
const AT_ONCE = 40;
const FAKE = "kwok.x-k8s.io/node";

/** How often the nodes say that they are there; after 50 s without a word their pods are not ready. */
const HEARTBEAT_MS = 10_000;

/** Simulated nodes, with room for two versions of everything, until they are disposed of. */
export async function makeNodes(cluster: Cluster): Promise<Disposable> {
  const names = Array.from({ length: NODES }, (_, index) => `scale-${index}`);
  await applyNodes(cluster, names);
  // A busy machine keeps the simulator from saying so in time, and a pod that was called not ready
  // for that stays so: nothing runs that could tell otherwise.
  const timer = setInterval(() => {
    void inLanes(names, (name) => beat(cluster, name)).catch(() => undefined);
  }, HEARTBEAT_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function beat(cluster: Cluster, name: string): Promise<void> {
  const lastHeartbeatTime = new Date().toISOString();
  const ready = { type: "Ready", status: "True", lastHeartbeatTime };
  const ref = { apiVersion: "v1", kind: "Node", name };
  const patch = { status: { conditions: [ready] } };
  await cluster.patch(ref, patch, "strategic", { subresource: "status" });
}

async function applyNodes(cluster: Cluster, names: readonly string[]): Promise<void> {
  const room = { cpu: "4000", memory: "16Ti", pods: String(PODS_PER_NODE) };
  await inLanes(names, async (name) => {
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name,
        annotations: { [FAKE]: "fake" },
        labels: { [FAKE]: "fake", "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
      },
      spec: { taints: [{ key: FAKE, value: "fake", effect: "NoSchedule" }] },
      status: { allocatable: room, capacity: room },
    };
    await cluster.apply(node, { force: true });
  });
}

/** Makes the Deployments, and waits until all of their pods are ready. */
export async function setUp(cluster: Cluster, namespace: string, size: number): Promise<void> {
  await cluster.apply({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  await inLanes(namesOf(size), async (name) => {
    await cluster.create(deployment(namespace, name));
  });
  await allAvailable(cluster, namespace, size);
}

async function allAvailable(cluster: Cluster, namespace: string, size: number): Promise<void> {
  const collection = { apiVersion: "apps/v1", kind: "Deployment", namespace };
  const stop = new AbortController();
  const available = new Set<string>();
  const look = ({ metadata, status }: Deployment) => {
    if (status?.availableReplicas === PODS_EACH) available.add(metadata.name);
    if (available.size === size) stop.abort();
  };
  const ignore = () => undefined;
  const replaced = (all: readonly Deployment[]) => all.forEach(look);
  const follower = { replaced, changed: look, deleted: ignore, lost: ignore, found: ignore };
  await follow<Deployment>(cluster, collection, follower, stop.signal);
}

/** Gives every Deployment a new version, all at once. */
export async function rollOut(cluster: Cluster, namespace: string, size: number): Promise<void> {
  const template = { metadata: { labels: { [VERSION_LABEL]: "2" } } };
  await inLanes(namesOf(size), async (name) => {
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name };
    await cluster.patch(ref, { spec: { template } });
  });
}

function namesOf(size: number): string[] {
  return Array.from({ length: size }, (_, index) => `web-${index}`);
}

/** A service as they are: with variables, probes, resources and mounts that make its pods heavy. */
function deployment(namespace: string, name: string): KubernetesObject & { spec: object } {
  const probe = { httpGet: { path: "/ready", port: "http" }, periodSeconds: 5 };
  const variables = Array.from({ length: 12 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `the value of the setting number ${index} of ${name}`,
  }));
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace, labels: { app: name, bench: "scale" } },
    spec: {
      replicas: PODS_EACH,
      // All at once: the worst that can happen to one who watches. And the old pods go first, so that
      // a rollout is over when its last new pod is ready, and not when a controller has cleaned up.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: "100%" } },
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, [VERSION_LABEL]: "1" } },
        spec: {
          terminationGracePeriodSeconds: 0,
          nodeSelector: { [FAKE]: "fake" },
          tolerations: [{ key: FAKE, operator: "Exists" }],
          containers: [
            {
              name: "main",
              image: `registry.example/${name}:1`,
              env: variables,
              ports: [{ name: "http", containerPort: 8080 }],
              readinessProbe: probe,
              livenessProbe: probe,
              resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
              volumeMounts: [{ name: "scratch", mountPath: "/tmp" }],
            },
          ],
          volumes: [{ name: "scratch", emptyDir: {} }],
        },
      },
    },
  };
}

/** Does the same for all, some at a time. */
async function inLanes<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = [...all];
  const lane = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
