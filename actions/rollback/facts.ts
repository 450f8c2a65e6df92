import type { AvailabilityReport } from "../../shared/availability/index.ts";
import type { Difference } from "../../shared/diff/index.ts";
import type { RolloutReport } from "../../shared/kubernetes/index.ts";
import type { ImagePresence } from "../../shared/registry/index.ts";
import type { ImageProof } from "../../shared/workload/index.ts";
import type { Record, Way } from "./way.ts";

/** What a run found out and did; outputs and summary are made from it, also after a failure. */
export interface Facts {
  readonly record: Record;
  way?: Pick<Way, "subject" | "from" | "to" | "notes">;
  difference?: Difference;
  presence: readonly ImagePresence[];
  /** Whether anything was changed in the cluster. */
  touched: boolean;
  /** The number of the revision that runs now, where it is known. */
  running?: number | undefined;
  rollout?: RolloutReport;
  images: readonly ImageProof[];
  users?: AvailabilityReport;
}
