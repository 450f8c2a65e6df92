import type { Cluster } from "../cluster.ts";
import type { KubernetesObject, ObjectRef } from "../object.ts";
import { neededFor, type Surroundings } from "../verdict/index.ts";
import {
  type ClusterEvent,
  type ControllerRevision,
  controllerOf,
  lastSeenOf,
  type Pod,
  type ReplicaSet,
} from "../workload.ts";
import { type Mirror, mirror } from "./mirror.ts";

/** All that a rollout's verdicts look at, kept up to date by one watch per kind and namespace. */
export class View {
  readonly #mirrors = new Map<string, Mirror>();

  constructor(
    cluster: Cluster,
    targets: readonly ObjectRef[],
    options: { readonly signal: AbortSignal; readonly onChange: () => void },
  ) {
    const need = (kind: Pick<ObjectRef, "apiVersion" | "kind" | "namespace">, optional = false) => {
      const key = keyOf(kind);
      if (this.#mirrors.has(key)) return;
      const { apiVersion, namespace } = kind;
      const collection = { apiVersion, kind: kind.kind, namespace };
      this.#mirrors.set(key, mirror(cluster, collection, { ...options, optional }));
    };
    for (const target of targets) {
      const { namespace } = target;
      need(target);
      for (const kind of neededFor(target.kind)) {
        // Without the revisions a DaemonSet's pods all count, which is right for a first rollout.
        need({ apiVersion: API_VERSIONS[kind], kind, namespace }, kind === "ControllerRevision");
      }
      need({ apiVersion: "v1", kind: "Event", namespace }, true);
    }
  }

  /** Rejects with the first thing that makes going on impossible; never resolves before the end. */
  async failed(): Promise<never> {
    const endless = new Promise<never>(() => {});
    return Promise.race([...this.#mirrors.values()].map(({ done }) => done.then(() => endless)));
  }

  get synced(): boolean {
    return [...this.#mirrors.values()].every(({ synced }) => synced);
  }

  /** Why the API server is away; undefined while it is there. */
  get lost(): Mirror["lost"] {
    return [...this.#mirrors.values()].find(({ lost }) => lost !== undefined)?.lost;
  }

  /** What may not be read and is done without. */
  get unreadable(): string[] {
    return [...this.#mirrors.values()].flatMap(({ forbidden }) => forbidden?.cause ?? []);
  }

  find(target: ObjectRef): KubernetesObject | undefined {
    return this.#mirrors.get(keyOf(target))?.objects.get(target.name);
  }

  /** Names of the objects of a target's kind in its namespace. */
  namesLike(target: ObjectRef): string[] {
    return [...(this.#mirrors.get(keyOf(target))?.objects.keys() ?? [])];
  }

  /** An index for one look at everything: built once, asked for every target. */
  index(): ViewIndex {
    const pods = new Map<string, Pod[]>();
    const sets = new Map<string, ReplicaSet[]>();
    const revisions = new Map<string, ControllerRevision[]>();
    const events = new Map<string, ClusterEvent[]>();
    const podsOfNamespace = new Map<string, Pod[]>();
    for (const { collection, objects } of this.#mirrors.values()) {
      for (const object of objects.values()) {
        const owner = controllerOf(object)?.uid ?? "";
        if (collection.kind === "Pod") {
          push(pods, owner, object as Pod);
          push(podsOfNamespace, collection.namespace ?? "", object as Pod);
        }
        if (collection.kind === "ReplicaSet") push(sets, owner, object as ReplicaSet);
        if (collection.kind === "ControllerRevision") {
          push(revisions, owner, object as ControllerRevision);
        }
        if (collection.kind === "Event") {
          const event = object as unknown as ClusterEvent;
          push(events, event.involvedObject.uid ?? "", event);
        }
      }
    }
    for (const list of events.values()) list.sort((a, b) => lastSeenOf(a) - lastSeenOf(b));
    return { pods, sets, revisions, events, podsOfNamespace };
  }
}

export interface ViewIndex {
  /** By the uid of the controller. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly sets: ReadonlyMap<string, readonly ReplicaSet[]>;
  readonly revisions: ReadonlyMap<string, readonly ControllerRevision[]>;
  /** By the uid of the object that they are about. */
  readonly events: ReadonlyMap<string, readonly ClusterEvent[]>;
  readonly podsOfNamespace: ReadonlyMap<string, readonly Pod[]>;
}

/** What surrounds one object: its ReplicaSets and revisions, and the pods of all of them. */
export function around(object: KubernetesObject, index: ViewIndex): Surroundings {
  const uid = object.metadata.uid ?? "";
  const replicaSets = index.sets.get(uid) ?? [];
  const pods =
    object.kind === "Service"
      ? (index.podsOfNamespace.get(object.metadata.namespace ?? "") ?? [])
      : [uid, ...replicaSets.map(({ metadata }) => metadata.uid ?? "")].flatMap(
          (owner) => index.pods.get(owner) ?? [],
        );
  return { pods, replicaSets, revisions: index.revisions.get(uid) ?? [] };
}

const API_VERSIONS = { Pod: "v1", ReplicaSet: "apps/v1", ControllerRevision: "apps/v1" } as const;

function keyOf({ apiVersion, kind, namespace }: Omit<ObjectRef, "name">): string {
  return [apiVersion, kind, namespace ?? ""].join(" ");
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}
