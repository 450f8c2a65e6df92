import type {
  AnyObject,
  ClusterEvent,
  ContainerStatus,
  Pod,
} from "../../shared/kubernetes/workload.ts";

/** What the API shows of one namespace since the revision in question was applied. */
export interface Seen {
  readonly pods: readonly Pod[];
  readonly events: readonly ClusterEvent[];
  /** Objects of the other kinds that are watched. */
  of(kind: string): readonly AnyObject[];
  /** Whether an object of this kind went away. */
  lost(kind: string): boolean;
  /** When the revision in question was applied, in milliseconds since the Unix epoch. */
  readonly appliedAt: number;
}

/**
 * Whether a cause is visible; or since when, in milliseconds since the Unix epoch, where that is
 * a matter of time passed.
 */
export type Sign = (seen: Seen) => boolean | number;

/** A container waits for one of these reasons. */
export const waiting =
  (...reasons: readonly string[]): Sign =>
  ({ pods }) =>
    statusesOf(pods).some(({ state }) => reasons.includes(state?.waiting?.reason ?? ""));

const BETWEEN_RUNS = ["CrashLoopBackOff", "PostStartHookError"];

/** The nth end of a container. */
export const ended =
  (times: number): Sign =>
  ({ pods }) =>
    statusesOf(pods).some(({ state, restartCount }) => {
      const over =
        state?.terminated !== undefined || BETWEEN_RUNS.includes(state?.waiting?.reason ?? "");
      return restartCount + (over ? 1 : 0) >= times;
    });

/** An event tells of it. */
export const event =
  (reason: string, words = /(?:)/): Sign =>
  ({ events }) =>
    events.some((one) => one.reason === reason && words.test(one.message ?? ""));

/** A condition of an object of this kind has this status, for this reason. */
export const condition =
  (kind: string, type: string, status: string, reason?: string): Sign =>
  (seen) => {
    const objects: readonly AnyObject[] = kind === "Pod" ? seen.pods : seen.of(kind);
    return objects.some((object) =>
      object.status?.conditions?.some(
        (one) =>
          one.type === type &&
          one.status === status &&
          (reason === undefined || one.reason === reason),
      ),
    );
  };

/** Pods that are over for good, this many. */
export const failedPods =
  (count: number): Sign =>
  ({ pods }) =>
    pods.filter(({ status }) => status?.phase === "Failed").length >= count;

/** An object of this kind is there no more. */
export const gone =
  (kind: string): Sign =>
  (seen) =>
    seen.lost(kind);

/** There is nothing to see but what was asked for. */
export const fromTheStart: Sign = ({ appliedAt }) => appliedAt;

/** A container has run, and is not ready, for longer than its probe's settings allow. */
export const unreadyFor =
  (seconds: number): Sign =>
  ({ pods }) => {
    const starts = statusesOf(pods).flatMap(({ state, ready }) =>
      ready || !state?.running?.startedAt ? [] : [Date.parse(state.running.startedAt)],
    );
    const due = Math.min(...starts) + seconds * 1_000;
    return due <= Date.now() && due;
  };

export const either =
  (...signs: readonly Sign[]): Sign =>
  (seen) =>
    signs.map((sign) => sign(seen)).find((found) => found !== false) ?? false;

/** The image of a container did not come. */
export const imageMissing = either(
  event("Failed", /^(Failed to pull image|Error: ErrImageNeverPull)/),
  event("InspectFailed"),
  waiting("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"),
);

/** The scheduler finds no node. */
export const unschedulable = either(
  event("FailedScheduling"),
  condition("Pod", "PodScheduled", "False", "Unschedulable"),
);

/** The API server refuses to make pods. */
export const refused = either(
  event("FailedCreate"),
  condition("ReplicaSet", "ReplicaFailure", "True"),
);

/** Pods on their way out end as they are told to: that is no sign. */
function statusesOf(pods: readonly Pod[]): readonly ContainerStatus[] {
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return staying.flatMap(({ status }) => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]);
}
