import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, follow, type KubernetesObject } from "../shared/kubernetes/index.ts";
import type { Fault, ObservedObject } from "./faults.ts";

/** Longer than the grace period of the quickstart's pods. */
const LONGEST_GOODBYE_MS = 30_000;

/** The moment at which the API first showed a fault. */
export interface Sighting {
  /** By `performance.now()`. */
  readonly at: number;
  /** The API's own words. */
  readonly words: string;
}

/** How a pod did, for the picture. Times by `performance.now()`. */
export interface PodLife {
  readonly name: string;
  readonly version: string;
  readonly from: number;
  to: number | undefined;
  readonly states: { readonly at: number; readonly state: string; readonly ready: boolean }[];
}

interface PodObject extends ObservedObject {
  readonly status?: ObservedObject["status"] & {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

interface EventObject extends ObservedObject {
  readonly involvedObject?: { readonly uid?: string };
}

/**
 * Watches the service's pods by itself, so that what the actions claim is held against what the
 * API showed, by one clock. It looks for a fault in pods that were not there when it began.
 */
export class Witness implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #fault: Fault;
  readonly #stop = new AbortController();
  readonly #lives = new Map<string, PodLife>();
  readonly #old = new Set<string>();
  readonly #done: Promise<unknown>[] = [];
  #begun = false;
  #sighting: Sighting | undefined;
  #onSighting: ((sighting: Sighting) => void) | undefined;

  private constructor(cluster: Cluster, namespace: string, fault: Fault) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#fault = fault;
  }

  /** Begins to watch; resolves once it knows the pods that are there. */
  static async begin(
    cluster: Cluster,
    namespace: string,
    fault: Fault,
    onSighting: (sighting: Sighting) => void,
  ): Promise<Witness> {
    const witness = new Witness(cluster, namespace, fault);
    await witness.#follow("Pod", (pods: readonly PodObject[]) => {
      for (const pod of pods) {
        witness.#old.add(pod.metadata.uid ?? "");
        // What leaves already belongs to another story.
        if (pod.metadata.deletionTimestamp === undefined) witness.#sawPod(pod);
      }
    });
    witness.#begun = true;
    await witness.#follow("Event", () => {});
    witness.#onSighting = onSighting;
    return witness;
  }

  get sighting(): Sighting | undefined {
    return this.#sighting;
  }

  get lives(): readonly PodLife[] {
    return [...this.#lives.values()];
  }

  /** Waits until the pods of the new version are gone, for as long as that may take at most. */
  async untilQuiet(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + LONGEST_GOODBYE_MS;
    while (this.newPodsRemain && performance.now() < deadline) {
      await sleep(100, undefined, { signal });
    }
  }

  /** Whether a pod of the new version is still there. */
  get newPodsRemain(): boolean {
    return [...this.#lives].some(([uid, { to }]) => to === undefined && !this.#old.has(uid));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#done);
  }

  #follow<T extends ObservedObject>(
    kind: "Pod" | "Event",
    first: (objects: readonly T[]) => void,
  ): Promise<void> {
    let begun = false;
    const { promise: known, resolve } = Promise.withResolvers<void>();
    const following = follow<T>(
      this.#cluster,
      { apiVersion: "v1", kind, namespace: this.#namespace, ...selectorFor(kind) },
      {
        replaced: (objects) => {
          if (!begun) first(objects);
          else for (const object of objects) this.#saw(object);
          begun = true;
          resolve();
        },
        changed: (object) => this.#saw(object),
        deleted: (object) => this.#gone(object),
        lost: () => {},
        found: () => {},
      },
      this.#stop.signal,
    );
    this.#done.push(following);
    return Promise.race([known, following]);
  }

  #saw(object: ObservedObject): void {
    if (object.kind === "Pod") this.#sawPod(object as PodObject);
    const uid =
      object.kind === "Event" ? (object as EventObject).involvedObject?.uid : object.metadata.uid;
    if (uid === undefined || this.#old.has(uid) || !this.#lives.has(uid)) return;
    const words = this.#sighting === undefined ? this.#fault.seenIn(object) : undefined;
    if (words === undefined) return;
    this.#sighting = { at: performance.now(), words };
    this.#onSighting?.(this.#sighting);
  }

  #sawPod(pod: PodObject): void {
    const { uid = "", name, labels } = pod.metadata;
    if (this.#old.has(uid) && this.#begun && !this.#lives.has(uid)) return;
    const at = performance.now();
    const life = this.#lives.get(uid) ?? {
      name,
      version: labels?.["app.kubernetes.io/version"] ?? "",
      from: at,
      to: undefined,
      states: [],
    };
    this.#lives.set(uid, life);
    const { state, ready } = stateOf(pod);
    const last = life.states.at(-1);
    if (last?.state !== state || last.ready !== ready) life.states.push({ at, state, ready });
  }

  #gone(object: KubernetesObject): void {
    const life = object.kind === "Pod" ? this.#lives.get(object.metadata.uid ?? "") : undefined;
    if (life !== undefined) life.to = performance.now();
  }
}

/** The service's pods, not the demo's own client. */
function selectorFor(kind: "Pod" | "Event") {
  return kind === "Pod" ? { labelSelector: "app.kubernetes.io/name=quickstart" } : {};
}

/** A pod's state in a word or two, as `kubectl get pods` puts it. */
function stateOf(pod: PodObject): { readonly state: string; readonly ready: boolean } {
  const ready = pod.status?.conditions?.some(
    ({ type, status }) => type === "Ready" && status === "True",
  );
  if (pod.metadata.deletionTimestamp !== undefined) return { state: "Terminating", ready: false };
  for (const { state } of pod.status?.containerStatuses ?? []) {
    const reason = state?.waiting?.reason;
    if (reason !== undefined) return { state: reason, ready: false };
    const exitCode = state?.terminated?.exitCode;
    if (exitCode !== undefined) return { state: `Exit ${exitCode}`, ready: false };
  }
  return {
    state: ready === true ? "Ready" : (pod.status?.phase ?? "Pending"),
    ready: ready === true,
  };
}
