import { isForbidden } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { type KubernetesObject, type ObjectRef, refOf } from "./object.ts";
import { groupOf } from "./resource.ts";

/** From this many objects of a kind in a namespace on, one list is cheaper than asking for each. */
const MANY = 20;
/** Requests at once: enough to hide the way there and back, too few to trouble an API server. */
const LANES = 8;

/** Objects as they are in the cluster, to be found by their references. */
export type LiveObjects = (ref: ObjectRef) => KubernetesObject | undefined;

/**
 * Finds out which of the named objects exist, and how they are. Of a kind with many objects in a
 * namespace all are listed at once; where listing is not allowed, each is asked for. The version
 * of an API does not matter to what is found: one object is served in several.
 *
 * @throws {UserError} when the server does not serve one of the kinds.
 * @throws {ApiError} when one may not be read.
 */
export async function findAll(cluster: Cluster, refs: readonly ObjectRef[]): Promise<LiveObjects> {
  const live = new Map<string, KubernetesObject>();
  const single: ObjectRef[] = [];
  for (const group of Map.groupBy(refs, collectionOf).values()) {
    const listed = group.length >= MANY ? await listOf(cluster, group) : undefined;
    if (listed === undefined) single.push(...group);
    else for (const object of listed) live.set(keyOf(refOf(object)), object);
  }
  const found = await inLanes(single, (ref) => cluster.find(ref));
  for (const object of found) if (object !== undefined) live.set(keyOf(refOf(object)), object);
  return (ref) => live.get(keyOf(ref));
}

function collectionOf({ apiVersion, kind, namespace = "" }: ObjectRef): string {
  return `${apiVersion} ${kind} ${namespace}`;
}

function keyOf({ apiVersion, kind, namespace = "", name }: ObjectRef): string {
  return `${groupOf(apiVersion)} ${kind} ${namespace} ${name}`;
}

async function listOf(
  cluster: Cluster,
  [first]: readonly ObjectRef[],
): Promise<readonly KubernetesObject[] | undefined> {
  if (first === undefined) return [];
  const { apiVersion, kind, namespace } = first;
  try {
    return (await cluster.list({ apiVersion, kind, namespace })).items;
  } catch (error) {
    if (isForbidden(error)) return undefined;
    throw error;
  }
}

/**
 * Does the same with every item, a few at a time, and gives the results in the items' order. The
 * first error stops what has not begun, and is thrown once all that had begun is over.
 */
export async function inLanes<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  const queue = items.entries();
  let stopped = false;
  const lane = async () => {
    for (const [index, item] of queue) {
      if (stopped) return;
      try {
        results.set(index, await work(item));
      } catch (error) {
        stopped = true;
        throw error;
      }
    }
  };
  const lanes = Array.from({ length: Math.min(LANES, items.length) }, lane);
  const failed = (await Promise.allSettled(lanes)).find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return items.map((_, index) => results.get(index) as R);
}
