import type { ClusterEvent } from "../workload.ts";
import type { Graces } from "./grace.ts";

/** What a verdict may look at beside the objects themselves. */
export interface Sight {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly graces: Graces;
  /** The events of an object, by its uid, oldest first. */
  events(uid: string | undefined): readonly ClusterEvent[];
  /** When a run of a container was first seen; not known to those who look but once. */
  runSeenAt?(podUid: string | undefined, container: string, startedAt: string): number;
  /** The last line that a container wrote before it ended, where it has been read. */
  lastWords(podUid: string | undefined, container: string): string | undefined;
}

/** The newest event of an object with one of these reasons. */
export function latestEvent(
  sight: Sight,
  uid: string | undefined,
  reasons: readonly string[],
): ClusterEvent | undefined {
  return sight.events(uid).findLast(({ reason }) => reasons.includes(reason ?? ""));
}

/** The newest event of an object that warns. */
export function latestWarning(sight: Sight, uid: string | undefined): ClusterEvent | undefined {
  return sight.events(uid).findLast(({ type }) => type === "Warning");
}
