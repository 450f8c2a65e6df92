import { type Cluster, follow, type KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { Deployment, Pod } from "../../../shared/kubernetes/workload.ts";
import { PODS_EACH, VERSION_LABEL } from "./rollout.ts";

/** Watches a rollout beside those who are measured, and notes when the API showed it whole. */
export class ScaleWitness implements Disposable {
  /** When the last pod of the new version was ready; milliseconds since the Unix epoch. */
  lastPodReadyAt = 0;
  /** When the status of the last Deployment said so. */
  lastStatusAt = 0;
  readonly watching: Promise<unknown>;
  readonly complete: Promise<unknown>;
  readonly #stop = new AbortController();

  constructor(cluster: Cluster, namespace: string, size: number) {
    const pods = this.#watch<Pod>(
      cluster,
      { apiVersion: "v1", kind: "Pod", namespace },
      isNewAndReady,
      size * PODS_EACH,
    );
    const deployments = this.#watch<Deployment>(
      cluster,
      { apiVersion: "apps/v1", kind: "Deployment", namespace },
      isComplete,
      size,
    );
    this.watching = Promise.all([pods.watching, deployments.watching]);
    this.complete = Promise.all([
      pods.all.then((at) => {
        this.lastPodReadyAt = at;
      }),
      deployments.all.then((at) => {
        this.lastStatusAt = at;
      }),
    ]);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #watch<T extends KubernetesObject>(
    cluster: Cluster,
    collection: Parameters<typeof follow>[1],
    done: (object: T) => boolean,
    wanted: number,
  ) {
    const watching = Promise.withResolvers<void>();
    const all = Promise.withResolvers<number>();
    const seen = new Set<string>();
    const look = (object: T) => {
      if (!done(object)) return;
      seen.add(object.metadata.name);
      if (seen.size >= wanted) all.resolve(Date.now());
    };
    const ignore = () => undefined;
    const replaced = (objects: readonly T[]) => {
      objects.forEach(look);
      watching.resolve();
    };
    const follower = { replaced, changed: look, deleted: ignore, lost: ignore, found: ignore };
    follow<T>(cluster, collection, follower, this.#stop.signal).catch((error: unknown) => {
      watching.reject(error);
      all.reject(error);
    });
    return { watching: watching.promise, all: all.promise };
  }
}

function isNewAndReady({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return metadata.labels?.[VERSION_LABEL] === "2" && ready?.status === "True";
}

function isComplete({ metadata, spec, status }: Deployment): boolean {
  const { template } = spec as { template?: KubernetesObject };
  return (
    template?.metadata.labels?.[VERSION_LABEL] === "2" &&
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === PODS_EACH &&
    status?.availableReplicas === PODS_EACH &&
    status?.replicas === PODS_EACH
  );
}
