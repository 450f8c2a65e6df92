export {
  ApiError,
  isForbidden,
  isNotFound,
  isTransient,
  type StatusCause,
  Unreachable,
} from "./api-error.ts";
export {
  type ApplyOptions,
  type Cluster,
  type Collection,
  connect,
  type Deed,
  type DeleteOptions,
  type LogOptions,
  type ObjectList,
  type PatchOptions,
  type PatchType,
  type Permission,
  type WatchEvent,
  type WriteOptions,
} from "./cluster.ts";
export { type View, viewOf } from "./collection-view.ts";
export type { ServedResource, ServedResources } from "./discovery.ts";
export { type Exec, type ExecResult, execute } from "./exec.ts";
export { type ExecEnd, type RunningExec, startExec } from "./exec-stream.ts";
export { type KubeconfigOptions, kubeconfigContent } from "./kubeconfig.ts";
export { findAll, inLanes, type LiveObjects } from "./live-objects.ts";
export {
  type KubernetesObject,
  nameOf,
  type ObjectMeta,
  type ObjectRef,
  refOf,
} from "./object.ts";
export { openPortForward, type PodPort, type PortForward } from "./port-forward.ts";
export { groupOf } from "./resource.ts";
export {
  awaitedTargets,
  type BriefReport,
  briefReport,
  type EventGroup,
  type Evidence,
  isAwaited,
  isAwaitedKind,
  type LogTail,
  type Moment,
  missingNamespace,
  parseTarget,
  type ReportedCause,
  type ResourceReport,
  type RolloutOptions,
  type RolloutReport,
  resolveKind,
  resolveTargets,
  rolloutFailure,
  scoped,
  type Target,
  unblockStatefulSets,
  uniqueTargets,
  waitForRecovery,
  waitForRollout,
} from "./rollout/index.ts";
export {
  NoReadyPod,
  type ReadyPod,
  readyPodOfService,
  type ServiceRef,
} from "./service-endpoint.ts";
export { type ServiceWatch, watchService } from "./service-watch.ts";
export { allOf, type Demand, GRACES, type Graces, parseDemand } from "./verdict/index.ts";
export { type Follower, follow } from "./watch.ts";
