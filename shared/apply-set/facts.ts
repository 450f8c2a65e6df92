import type { AvailabilityReport } from "../availability/index.ts";
import type { Difference } from "../diff/index.ts";
import type { ObjectRef, RolloutReport } from "../kubernetes/index.ts";
import type { ImageProof } from "../workload/index.ts";
import type { Plan } from "./plan.ts";
import type { AppliedRevision } from "./revision.ts";

/** What a deploy found out and did; outputs and summary are made from it, also after a failure. */
export interface DeployFacts {
  plan?: Plan;
  difference?: Difference;
  /** The last good revision before this run. */
  previous?: AppliedRevision | undefined;
  /** The number of the revision that this run made; the last good one when nothing changed. */
  revision?: number;
  /** The number of the one that is in the cluster now; undefined when none is, or nobody knows. */
  running?: number | undefined;
  /** Nothing had to be changed. */
  unchanged: boolean;
  /** How many objects and live workloads were made or changed. */
  changed: number;
  pruned: readonly ObjectRef[];
  rolledBack: boolean;
  rollout?: RolloutReport;
  recovery?: RolloutReport;
  images: readonly ImageProof[];
  availability?: AvailabilityReport;
  /** What a reader should know beside the verdict. */
  readonly notes: string[];
}

/** What is known before anything was done. */
export function noFacts(): DeployFacts {
  return { unchanged: false, changed: 0, pruned: [], rolledBack: false, images: [], notes: [] };
}
