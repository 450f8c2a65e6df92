import type { AvailabilityReport } from "../../shared/availability/index.ts";
import type { Difference } from "../../shared/diff/index.ts";
import type { Revision } from "../../shared/helm/index.ts";
import type { ReportedCause, RolloutReport } from "../../shared/kubernetes/index.ts";
import type { ImageProof } from "../../shared/workload/index.ts";

/** What a run found out and did; outputs and summary are made from it, also after a failure. */
export interface Facts {
  /** Known after a failure only. */
  helmVersion?: string | undefined;
  /** The last good revision before this run. */
  previous?: Revision | undefined;
  /** The number of the one that this run made. */
  revision?: number | undefined;
  /** The number of the one that is deployed now. */
  running?: number | undefined;
  rolledBack: boolean;
  /** What changes, or would. */
  difference?: Difference | undefined;
  /** Why a hook failed. */
  hookCause?: ReportedCause | undefined;
  /** How the new revision fared, and how the one that was put back did. */
  rollout?: RolloutReport | undefined;
  recovery?: RolloutReport | undefined;
  availability?: AvailabilityReport | undefined;
  images: readonly ImageProof[];
  /** What a reader should know beside the verdict. */
  readonly notes: string[];
}
