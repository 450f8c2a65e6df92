import { UserError } from "../failure/index.ts";
import { systemClock } from "../world/index.ts";
import { apiError, isGone, isTransient } from "./api-error.ts";
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
  let from: string | undefined;
  let begun = false;
  let lost = false;
  let pause = FIRST_PAUSE_MS;
  const alive = () => {
    if (lost) follower.found();
    lost = false;
    pause = FIRST_PAUSE_MS;
  };
  while (!signal.aborted) {
    try {
      if (from === undefined) {
        const { items, resourceVersion } = await bound.list<T>(collection, follower.lean);
        alive();
        follower.replaced(items);
        from = resourceVersion;
        begun = true;
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
      if (!begun || !isTransient(error) || !(error instanceof UserError)) throw error;
      if (!lost) follower.lost(error);
      lost = true;
      // The server may have lost what it knew: after a pause only a list tells the truth.
      from = undefined;
    }
    // Also after a watch that ended well, lest a server that ends them at once is hammered.
    await systemClock.sleep(pause, signal).catch(() => undefined);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
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
