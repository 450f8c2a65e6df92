import type { KubernetesObject } from "../kubernetes/index.ts";

/** On the ReplicaSet or ControllerRevision of a revision that somebody went back from. */
const ABANDONED = "seaworthy.dev/abandoned";

/**
 * Why somebody went back from a revision; undefined when nobody did. One that was rolled out again
 * since has another number, and is judged anew.
 */
export function abandonedBecause(keeper: KubernetesObject, revision: number): string | undefined {
  const mark = keeper.metadata.annotations?.[ABANDONED];
  const colon = mark?.indexOf(":") ?? -1;
  if (mark === undefined || colon < 0 || Number(mark.slice(0, colon)) !== revision)
    return undefined;
  return mark.slice(colon + 1).trim();
}

/** The annotation that marks a revision as one that somebody went back from, for a reason. */
export function abandonment(revision: number, reason: string): Readonly<Record<string, string>> {
  return { [ABANDONED]: `${revision}: ${reason}` };
}
