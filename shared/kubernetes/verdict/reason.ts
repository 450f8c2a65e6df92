/**
 * The causes of a rollout's failure, each as one stable word for programs. What each means and when
 * it counts is in docs/why-did-my-rollout-fail.md, which a test holds to this list.
 */
export const REASONS = [
  "ImageNotFound",
  "ImageNameInvalid",
  "ImagePullDenied",
  "ImagePull",
  "ConfigError",
  "CannotStart",
  "CrashLoop",
  "WrongArchitecture",
  "NotReady",
  "Unschedulable",
  "PodsRefused",
  "VolumeNotMounted",
  "VolumeNotBound",
  "VolumeLost",
  "SandboxFailed",
  "Paused",
  "ProgressDeadlineExceeded",
  "Blocked",
  "JobFailed",
  "PodFailed",
  "CannotScale",
  "NoMetrics",
  "BudgetNotComputed",
  "NamesNotAccepted",
  "APIServiceUnavailable",
  "GatewayRefused",
  "CertificateMissing",
  "RouteRefused",
  "RouteUnresolved",
  "Stalled",
  "NoSuchKind",
  "NotFound",
  "NamespaceNotFound",
  "Deleted",
  "Timeout",
  "Unreachable",
] as const;

export type Reason = (typeof REASONS)[number];
