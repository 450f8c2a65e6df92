export { awaitedTargets, isAwaited, isAwaitedKind, uniqueTargets } from "./awaited.ts";
export { missingNamespace } from "./namespace.ts";
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
export { parseTarget, resolveKind, resolveTargets, scoped } from "./targets.ts";
export { type RolloutOptions, waitForRollout } from "./wait.ts";
