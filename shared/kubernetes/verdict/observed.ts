import { type Assessment, underway } from "./verdict.ts";

interface Observed {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly observedGeneration?: number };
}

/**
 * What there is to say while a workload's status still speaks of an older specification: nothing
 * else in it counts then. Undefined once its controller has seen the newest one.
 */
export function notYetObserved({ metadata, status }: Observed): Assessment | undefined {
  if ((status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)) return undefined;
  return underway(["the controller has not seen the change yet"]);
}
