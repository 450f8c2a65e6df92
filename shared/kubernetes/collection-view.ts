import type { UserError } from "../failure/index.ts";
import { isForbidden } from "./api-error.ts";
import type { Cluster, Collection } from "./cluster.ts";
import type { KubernetesObject } from "./object.ts";
import { follow } from "./watch.ts";

/** The objects of a collection, kept up to date by a watch. */
export interface View<T extends KubernetesObject> {
  /**
   * What there is now, by what the watch has shown; the first question waits for the list.
   *
   * @throws {UserError} when the collection may not be listed, or the API server is away.
   */
  items(): Promise<readonly T[]>;
}

/**
 * A view of a collection, watched from the first question on until the signal aborts. An account
 * that may list and not watch it has it listed at each question.
 */
export function viewOf<T extends KubernetesObject>(
  cluster: Cluster,
  collection: Collection,
  signal: AbortSignal,
): View<T> {
  let watched: Watched<T> | undefined;
  return {
    async items() {
      watched ??= new Watched(cluster, collection, signal);
      try {
        return await watched.items();
      } catch (error) {
        // What ended the watch is past: the next question begins anew.
        if (watched.ended) watched = undefined;
        throw error;
      }
    },
  };
}

/** One watch, and what it has seen. */
class Watched<T extends KubernetesObject> {
  readonly #cluster: Cluster;
  readonly #collection: Collection;
  readonly #objects = new Map<string, T>();
  readonly #begun = Promise.withResolvers<void>();
  #end: { readonly error: unknown } | undefined;
  #lost: UserError | undefined;

  constructor(cluster: Cluster, collection: Collection, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#collection = collection;
    const keep = (object: T) => void this.#objects.set(keyOf(object), object);
    const follower = {
      replaced: (objects: readonly T[]) => {
        this.#objects.clear();
        objects.forEach(keep);
        this.#begun.resolve();
      },
      changed: keep,
      deleted: (object: T) => void this.#objects.delete(keyOf(object)),
      lost: (error: UserError) => {
        this.#lost = error;
      },
      found: () => {
        this.#lost = undefined;
      },
    };
    const end = (error: unknown) => {
      this.#end = { error };
      this.#begun.reject(error);
    };
    this.#begun.promise.catch(() => {});
    follow<T>(cluster, collection, follower, signal).then(() => end(signal.reason), end);
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  async items(): Promise<readonly T[]> {
    await this.#begun.promise;
    // It was listed, so that it is the watch that is not allowed.
    if (isForbidden(this.#end?.error)) {
      return (await this.#cluster.list<T>(this.#collection)).items;
    }
    if (this.#end !== undefined) throw this.#end.error;
    // What was seen before the API server went away may be no more.
    if (this.#lost !== undefined) throw this.#lost;
    return [...this.#objects.values()];
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name}`;
}
