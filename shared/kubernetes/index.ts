export { ApiError, isForbidden, isNotFound, isTransient, Unreachable } from "./api-error.ts";
export {
  type ApplyOptions,
  type Cluster,
  type Collection,
  connect,
  type LogOptions,
  type ObjectList,
  type PatchType,
  type WatchEvent,
} from "./cluster.ts";
export { type KubeconfigOptions, kubeconfigContent } from "./kubeconfig.ts";
export {
  isControlledBy,
  type KubernetesObject,
  nameOf,
  type ObjectMeta,
  type ObjectRef,
  refOf,
} from "./object.ts";
export { openPortForward, type PodPort, type PortForward } from "./port-forward.ts";
export {
  NoReadyPod,
  type ReadyPod,
  readyPodOfService,
  type ServiceRef,
} from "./service-endpoint.ts";
export { type Follower, follow } from "./watch.ts";
