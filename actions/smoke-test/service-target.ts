import {
  type Cluster,
  openPortForward,
  type PortForward,
  type ReadyPod,
  watchService,
} from "../../shared/kubernetes/index.ts";
import { type Target, Unanswered, type Way } from "../../shared/probe/index.ts";
import type { Log } from "../../shared/world/index.ts";
import type { Pods } from "./check-spec.ts";
import type { ClusterTrouble } from "./cluster-trouble.ts";

export interface ServiceRef {
  readonly namespace: string;
  readonly name: string;
  readonly port: string | undefined;
}

interface Means {
  readonly cluster: Cluster;
  readonly trouble: ClusterTrouble;
  /** Ends every watch and port-forward. */
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * The ways to a Service: port-forwards to its ready pods by the API server, and the pods alone for
 * commands that run in them. All checks of the Service share them.
 */
export class ServiceWays {
  readonly #means: Means;
  readonly #service: ServiceRef;
  readonly #watch: ReturnType<typeof watchService>;
  readonly #forwards = new Map<string, Promise<PortForward>>();

  constructor(service: ServiceRef, means: Means) {
    this.#means = means;
    this.#service = service;
    this.#watch = watchService(means.cluster, service, means.signal);
  }

  /** The Service as a target that is asked by network. */
  byNetwork(name: string, pods: Pods): Target {
    return {
      name,
      ways: async () => {
        const ready = await this.#ready(pods);
        return Promise.all(ready.map((pod) => this.#forward(pod)));
      },
      failed: (reason, way) => this.#failed(reason, way),
    };
  }

  /** The Service's pods as a target that runs commands. */
  byCommand(name: string, pods: Pods): Target {
    return {
      name,
      ways: async () => {
        const all = await this.#means.trouble.around(() => this.#watch.readyNames());
        return (pods === "every" ? all : all.slice(0, 1)).map((pod) => ({ pod }));
      },
      failed: async (reason) => reason,
    };
  }

  /** Of several ready pods, one that there is a way to already. */
  async #ready(pods: Pods): Promise<readonly ReadyPod[]> {
    const all = await this.#means.trouble.around(() => this.#watch.readyPods());
    if (pods === "every") return all;
    const open = all.find(({ pod }) => this.#forwards.has(pod));
    return open === undefined ? all.slice(0, 1) : [open];
  }

  async #forward(pod: ReadyPod): Promise<Way> {
    const opening = this.#forwards.get(pod.pod) ?? this.#open(pod);
    this.#forwards.set(pod.pod, opening);
    try {
      const { host, port } = await this.#means.trouble.around(() => opening);
      return { via: { host, port }, pod: pod.pod };
    } catch (error) {
      this.#forwards.delete(pod.pod);
      throw error;
    }
  }

  async #open(pod: ReadyPod): Promise<PortForward> {
    const { cluster, signal, log } = this.#means;
    const forward = await openPortForward(cluster, pod, signal);
    log.info(`Forwarding to port ${pod.port} of pod ${pod.namespace}/${pod.pod}.`);
    return forward;
  }

  /** The pod may be gone: the next attempt looks for a ready one anew. */
  async #failed(reason: Unanswered, { pod = "" }: Way): Promise<Unanswered> {
    if (!["broken-off", "refused"].includes(reason.trouble)) return reason;
    const forward = await this.#forwards.get(pod)?.catch(() => undefined);
    this.#forwards.delete(pod);
    this.#watch.refresh();
    await forward?.close();
    const words = forward?.lastError();
    if (words === undefined) return reason;
    const message = `${reason.message}; the port-forward says: ${words}`;
    return new Unanswered(message, { ...reason, reason: reason.cause });
  }

  get namespace(): string {
    return this.#service.namespace;
  }
}
