import type { KubernetesObject } from "../kubernetes/index.ts";
import { type Concerned, cautionsOf, refusePaused, warningsOf } from "./cautions.ts";
import { titleOf, type WorkloadChange } from "./change.ts";

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

/** What a plan comes to, for the log: a heading, and a line for each workload. */
export function headedLines({
  changes,
  unchanged,
}: WorkloadPlan): readonly [heading: string, lines: readonly string[]] {
  const stay = unchanged.length === 1 ? "1 stays" : `${unchanged.length} stay`;
  return [
    `Workloads that run: ${changes.length} to change, ${stay} as ${unchanged.length === 1 ? "it is" : "they are"}`,
    [...changes.map(lineOf), ...unchanged.map((title) => `${title} stays as it is`)],
  ];
}

function lineOf(change: WorkloadChange): string {
  const { before, after } = change;
  const images = Object.entries(after.images).map(
    ([name, image]) => `${name} from ${before.images[name]} to ${image}`,
  );
  const config = after.config === undefined ? [] : ["pods made anew, for their config changed"];
  return `${titleOf(change)}: ${[...images, ...config].join("; ")}`;
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
