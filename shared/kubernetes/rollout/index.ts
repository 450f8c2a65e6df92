export {
  type EventGroup,
  type Evidence,
  type LogTail,
  type Moment,
  type ReportedCause,
  type ResourceReport,
  type RolloutReport,
  rolloutFailure,
} from "./report.ts";
export { parseTarget } from "./targets.ts";
export { unblockStatefulSet } from "./unblock.ts";
export { type RolloutOptions, waitForRollout } from "./wait.ts";
