import {
  type Cluster,
  follow,
  type KubernetesObject,
  refOf,
} from "../../../shared/kubernetes/index.ts";
import type { Pod } from "../../../shared/kubernetes/workload.ts";

const HEARTBEAT_MS = 5_000;

/**
 * A node whose pods run nothing and are ready when a test says so: for clusters without a kubelet,
 * and for what no kubelet can be made to do at the right moment.
 */
export class PuppetNode implements Disposable {
  readonly name: string;
  readonly #cluster: Cluster;
  readonly #stop = new AbortController();
  readonly #pods = new Map<string, Pod>();
  #mayBeReady = 0;
  #alive = true;

  private constructor(cluster: Cluster, name: string) {
    this.name = name;
    this.#cluster = cluster;
  }

  static async create(cluster: Cluster, name: string): Promise<PuppetNode> {
    const node = new PuppetNode(cluster, name);
    await cluster.create({ apiVersion: "v1", kind: "Node", metadata: { name } });
    await node.#beat();
    node.#watch();
    const timer = setInterval(() => void node.#beat(), HEARTBEAT_MS);
    node.#stop.signal.addEventListener("abort", () => clearInterval(timer));
    return node;
  }

  /** Lets so many of its pods, of all that it ever has, be ready. */
  allow(pods: number): void {
    this.#mayBeReady = pods;
    for (const pod of this.#pods.values()) this.#care(pod);
  }

  /** Is lost: says so of itself once, and does nothing any more. */
  async die(): Promise<void> {
    await this.#say("Unknown");
    this.#alive = false;
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #watch(): void {
    const ignore = () => undefined;
    const care = (pod: Pod) => this.#care(pod);
    void follow<Pod>(
      this.#cluster,
      { apiVersion: "v1", kind: "Pod", fieldSelector: `spec.nodeName=${this.name}` },
      {
        replaced: (pods) => pods.forEach(care),
        changed: care,
        deleted: ({ metadata }) => void this.#pods.delete(metadata.name),
        lost: ignore,
        found: ignore,
      },
      this.#stop.signal,
    );
  }

  #care(pod: Pod): void {
    if (!this.#alive) return;
    const { name, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      this.#pods.delete(name);
      void this.#insist(() =>
        this.#cluster.delete({ ...refOf(pod), apiVersion: "v1", kind: "Pod" }, NOW),
      );
      return;
    }
    const order = [...this.#pods.keys(), name].indexOf(name);
    this.#pods.set(name, pod);
    const ready = pod.status?.conditions?.some(
      ({ type, status }) => type === "Ready" && status === "True",
    );
    if (order < this.#mayBeReady && ready !== true) void this.#run(pod);
  }

  #run(pod: Pod): Promise<void> {
    const now = new Date().toISOString();
    const conditions = ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: now,
    }));
    const containerStatuses = pod.spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: now } },
    }));
    const status = { phase: "Running", startTime: now, conditions, containerStatuses };
    return this.#patchStatus(pod, status);
  }

  #beat(): Promise<void> {
    return this.#alive ? this.#say("True") : Promise.resolve();
  }

  #say(status: "True" | "Unknown"): Promise<void> {
    const room = { cpu: "64", memory: "64Gi", pods: "500" };
    const now = new Date().toISOString();
    const ready = { type: "Ready", status, lastHeartbeatTime: now, reason: "Puppet" };
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: this.name } };
    return this.#patchStatus(node, { capacity: room, allocatable: room, conditions: [ready] });
  }

  #patchStatus({ apiVersion, kind, metadata }: KubernetesObject, status: object): Promise<void> {
    const ref = { apiVersion: apiVersion ?? "v1", kind: kind ?? "Pod", ...metadata };
    return this.#insist(async () => {
      await this.#cluster.patch(ref, { status }, "strategic", { subresource: "status" });
    });
  }

  /** Tries for as long as the API server is away, as a kubelet does. */
  async #insist(work: () => Promise<void>): Promise<void> {
    for (let tries = 0; tries < 60 && !this.#stop.signal.aborted; tries += 1) {
      try {
        await work();
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }
}

const NOW = { gracePeriodSeconds: 0 };
