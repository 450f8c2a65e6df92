export { awaitedTargets } from "./awaited.ts";
export { unblockStatefulSets, waitForRecovery } from "./recovery.ts";
export {
  type BriefReport,
  briefReport,
  type EventGroup,
  type Evidence,
  type LogTail,
  type Moment,
  type ReportedCause,
  type ResourceReport,
  type RolloutReport,
  rolloutFailure,
} from "./report.ts";
export type { Target } from "./target.ts";
export { parseTarget } from "./targets.ts";
export { type RolloutOptions, waitForRollout } from "./wait.ts";
