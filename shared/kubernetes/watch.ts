import { UserError } from "../failure/index.ts";
import { systemClock } from "../world/index.ts";
import { ApiError, apiError, isGone, isTransient, Unreachable } from "./api-error.ts";
import type { Cluster, Collection, WatchEvent } from "./cluster.ts";
import type { KubernetesObject } from "./object.ts";

/** What one who follows a collection is told. */
export interface Follower<T extends KubernetesObject = KubernetesObject> {
  /** Makes a smaller copy of each object before it is kept; page by page in a list. */
  lean?(object: T): T;
  /** All there is, after a list: at the start, and whenever the watch had to begin anew. */
  replaced(objects: readonly T[]): void;
  changed(object: T): void;
  deleted(object: T): void;
  /** The API server went away: why. Called once for each time it goes. */
  lost(error: UserError): void;
  /** It is back. */
  found(): void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
/**
 * An API server that has just started knows neither roles nor accounts nor custom resources for a
 * moment, and refuses whom it will let in again: it fills its caches while it serves.
 */
const WAKING_MS = 30_000;
/** Connections that break this soon one after the other tell of a server that is away. */
const BROKEN_ONCE_MS = 10_000;

/**
 * Follows a collection with one list and one watch until the signal aborts, which ends it without
 * an error. A watch that ends is taken up where it ended; one that is too old (410) begins anew
 * with a list; an API server that goes away is waited for, with growing pauses.
 *
 * @throws {UserError} what waiting cannot heal: no permission, no such kind, wrong credentials;
 * and an API server that cannot be reached at the very first.
 */
export async function follow<T extends KubernetesObject>(
  cluster: Cluster,
  collection: Collection,
  follower: Follower<T>,
  signal: AbortSignal,
): Promise<void> {
  const bound = cluster.boundTo(signal);
  const outages = new Outages(follower);
  let from: string | undefined;
  let pause = FIRST_PAUSE_MS;
  const alive = () => {
    outages.over();
    pause = FIRST_PAUSE_MS;
  };
  while (!signal.aborted) {
    try {
      if (from === undefined) {
        const { items, resourceVersion } = await bound.list<T>(collection, follower.lean);
        alive();
        follower.replaced(items);
        from = resourceVersion;
        outages.begin();
      }
      for await (const event of bound.watch<T>(collection, from)) {
        alive();
        from = take(event, follower, collection) ?? from;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isGone(error)) {
        from = undefined;
        continue;
      }
      if (!outages.canBearWith(error)) throw error;
      // The server may have lost what it knew: after an outage only a list tells the truth.
      if (outages.lost) from = undefined;
    }
    // Also after a watch that ended well, lest a server that ends them at once is hammered.
    await systemClock.sleep(pause, signal).catch(() => undefined);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

/** Keeps the record of when the API server was away, and tells the follower. */
class Outages {
  readonly #follower: Pick<Follower, "lost" | "found">;
  #begun = false;
  #lost = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #brokenAt = Number.NEGATIVE_INFINITY;

  constructor(follower: Pick<Follower, "lost" | "found">) {
    this.#follower = follower;
  }

  /** From now on the server is known to have been there. */
  begin(): void {
    this.#begun = true;
  }

  get lost(): boolean {
    return this.#lost;
  }

  over(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.#follower.found();
  }

  /**
   * Whether waiting may heal this error; if so, the follower is told that the server is away. A
   * connection that breaks, once, is no more than that: gateways end those that are quiet or old.
   */
  canBearWith(error: unknown): error is UserError {
    if (!this.#begun || !(error instanceof UserError)) return false;
    const now = systemClock.now();
    const away = isTransient(error);
    if (!away && !(isRefusal(error) && now < this.#lastAt + WAKING_MS)) return false;
    if (!this.#lost && error instanceof Unreachable && now > this.#brokenAt + BROKEN_ONCE_MS) {
      this.#brokenAt = now;
      return true;
    }
    if (away) this.#lastAt = now;
    if (!this.#lost) this.#follower.lost(error);
    this.#lost = true;
    return true;
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && [401, 403, 404].includes(error.status);
}

/** Hands an event on; gives the resourceVersion to go on from. */
function take<T extends KubernetesObject>(
  { type, object }: WatchEvent<T>,
  follower: Follower<T>,
  collection: Collection,
): string | undefined {
  if (type === "ERROR") {
    const status = (object as { readonly code?: number }).code ?? 500;
    const asked = { verb: "watch", resource: collection.kind, namespace: collection.namespace };
    throw apiError(status, JSON.stringify(object), asked);
  }
  if (type === "DELETED") follower.deleted(object);
  if (type === "ADDED" || type === "MODIFIED") follower.changed(follower.lean?.(object) ?? object);
  return object.metadata.resourceVersion;
}
