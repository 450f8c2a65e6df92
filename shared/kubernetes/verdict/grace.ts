const SECOND = 1_000;

/**
 * How long a problem may last before it counts as failed, in milliseconds. Each window covers the
 * time that a cluster takes to heal by itself once the reason is gone: a kubelet looks again at a
 * missing ConfigMap after 11 to 15 s, at an image after 10 s and then twice as long each time, and
 * controllers double their pauses between creations.
 */
export interface Graces {
  /** A registry that does not answer, or answers with an error of its own. */
  readonly imagePull: number;
  /**
   * A ConfigMap, Secret or key that is not there. When it is over, the rollout asks whether it is
   * there by now, and has more patience if so.
   */
  readonly config: number;
  /** A container that cannot be created for a reason that may pass. */
  readonly containerCreate: number;
  /** Pods that the API server refuses: quota, policy, service account. */
  readonly podCreate: number;
  /** No node has room: other pods may leave. */
  readonly unschedulable: number;
  /** No node has room, and an autoscaler said that it brings one. */
  readonly scaleUp: number;
  readonly volume: number;
  readonly sandbox: number;
  /** A probe that fails after the time that its own settings allow for a start. */
  readonly probe: number;
  /** An object that was asked for and does not exist. */
  readonly absent: number;
  /** A broken pod of the old revision, which whoever rolled back may be about to delete. */
  readonly blocked: number;
  /** Something that another object refers to and that does not exist: it may come a little later. */
  readonly reference: number;
  /** Metrics of pods that run: a metrics server collects them every 15 to 60 s. */
  readonly metrics: number;
  /** A load balancer's address that nobody named: its controller may never tell one. */
  readonly address: number;
  /** A controller that has said nothing yet of a new object. */
  readonly silence: number;
  /** Times that a container may end before it counts as a crash loop. */
  readonly crashes: number;
  /** A container without a readiness probe must have run for this long. */
  readonly unprobed: number;
  /** A container that was restarted must have run for this long. */
  readonly restarted: number;
}

export const GRACES: Graces = {
  imagePull: 45 * SECOND,
  config: 10 * SECOND,
  containerCreate: 20 * SECOND,
  podCreate: 25 * SECOND,
  unschedulable: 60 * SECOND,
  scaleUp: 600 * SECOND,
  volume: 60 * SECOND,
  sandbox: 45 * SECOND,
  probe: 60 * SECOND,
  absent: 5 * SECOND,
  blocked: 10 * SECOND,
  reference: 30 * SECOND,
  metrics: 120 * SECOND,
  address: 60 * SECOND,
  silence: 5 * SECOND,
  crashes: 3,
  unprobed: 5 * SECOND,
  restarted: 10 * SECOND,
};
