import type { KubernetesObject } from "../kubernetes/index.ts";
import { type Concerned, cautionsOf, refusePaused, warningsOf } from "./cautions.ts";
import type { WorkloadChange } from "./change.ts";

/** What is to be done with live workloads. Nothing of it is done yet. */
export interface WorkloadPlan {
  readonly changes: readonly WorkloadChange[];
  /** `deployment/web`: those that have the images already. */
  readonly unchanged: readonly string[];
  /** The workloads that were looked for, as they are: changed and unchanged ones. */
  readonly workloads: readonly KubernetesObject[];
  /** What a reader should know. */
  readonly notes: readonly string[];
  /** What may undo the deploy behind its back. */
  readonly warnings: readonly string[];
}

/**
 * The plan for workloads that are looked at.
 *
 * @throws {UserError} when one that would have to roll is paused.
 */
export function planOf(concerned: readonly Concerned[], notes: readonly string[]): WorkloadPlan {
  refusePaused(concerned);
  const changed = concerned.filter(({ change }) => change !== undefined);
  const unchanged = concerned.filter(({ change }) => change === undefined);
  return {
    changes: changed.flatMap(({ change }) => change ?? []),
    unchanged: unchanged.map(({ workload }) => workload.title),
    workloads: concerned.map(({ workload }) => workload.object),
    notes: [...notes, ...changed.flatMap(({ workload }) => cautionsOf(workload))],
    warnings: changed.flatMap(({ workload }) => warningsOf(workload)),
  };
}
