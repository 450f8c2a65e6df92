import { type Cluster, follow } from "../../../shared/kubernetes/index.ts";
import type { ContainerStatus, Pod } from "../../../shared/kubernetes/workload.ts";

/** What makes a fault visible in the API, for one who watches nothing but container statuses. */
export type Sign = (status: ContainerStatus) => boolean;

export const waitingFor =
  (...reasons: readonly string[]): Sign =>
  ({ state }) =>
    reasons.includes(state?.waiting?.reason ?? "");

/** The nth end of a container. */
export const ended =
  (times: number): Sign =>
  ({ state, restartCount }) =>
    state?.terminated !== undefined && restartCount + 1 >= times;

/**
 * Watches the pods of a namespace beside the code under test, and notes when a pod whose name
 * begins so first shows the sign. Times are milliseconds since the Unix epoch.
 */
export class Witness implements Disposable {
  readonly #stop = new AbortController();
  readonly #seen = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();
  readonly #signs: ReadonlyMap<string, Sign>;

  constructor(cluster: Cluster, namespace: string, signs: Readonly<Record<string, Sign>>) {
    this.#signs = new Map(Object.entries(signs));
    const look = (pod: Pod) => this.#look(pod);
    const ignore = () => undefined;
    follow<Pod>(
      cluster,
      { apiVersion: "v1", kind: "Pod", namespace },
      {
        replaced: (pods) => pods.forEach(look),
        changed: look,
        deleted: ignore,
        lost: ignore,
        found: ignore,
      },
      this.#stop.signal,
    ).catch(ignore);
  }

  /** When the sign of this name was first seen. */
  sawAt(name: string): number {
    const at = this.#seen.get(name);
    if (at === undefined) throw new Error(`the witness never saw ${name}`);
    return at;
  }

  /** Waits for the sign of this name. */
  saw(name: string): Promise<void> {
    return new Promise((resolve) => {
      if (this.#seen.has(name)) resolve();
      else this.#waiting.set(name, resolve);
    });
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
  }

  #look(pod: Pod): void {
    for (const [name, sign] of this.#signs) {
      if (this.#seen.has(name) || !pod.metadata.name.startsWith(`${name}-`)) continue;
      const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
      if ([...initContainerStatuses, ...containerStatuses].some(sign)) {
        this.#seen.set(name, Date.now());
        this.#waiting.get(name)?.();
      }
    }
  }
}
