import { UserError } from "../../failure/index.ts";
import type { Cluster, KubernetesObject, ObjectRef } from "../../kubernetes/index.ts";
import type { World } from "../../world/index.ts";
import { LimitReached, ServerGone } from "../target.ts";
import { CONTAINER, JOB_LABEL } from "./job-manifest.ts";

/** What is read of a pod. */
export interface ServerPod extends KubernetesObject {
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly state?: {
        readonly running?: object;
        readonly terminated?: { readonly reason?: string; readonly exitCode: number };
      };
    }[];
  };
}

/** An image may have to be pulled, a node to be brought. */
const START_DEADLINE_MS = 10 * 60_000;
/** A node tells of a container's end within a second or two, and of an eviction a little later. */
const END_DEADLINE_MS = 8_000;
const LOOK_AGAIN_MS = 250;

/**
 * Waits until the pod of a Job runs.
 *
 * @returns its name.
 * @throws {UserError} as soon as it is certain that it will not, with the cluster's reason.
 */
export async function awaitPod(cluster: Cluster, job: ObjectRef, world: World): Promise<string> {
  const { follow, rolloutFailure, waitForRollout } = await import("../../kubernetes/index.ts");
  const done = new AbortController();
  const signal = AbortSignal.any([world.signal, done.signal]);
  const bound = cluster.boundTo(signal);
  const { promise: running, resolve } = Promise.withResolvers<string>();
  const look = (pod: ServerPod) => {
    if (stateOf(pod)?.running !== undefined) resolve(pod.metadata.name);
  };
  const following = follow<ServerPod>(
    bound,
    podsOf(job),
    { replaced: (all) => all.forEach(look), changed: look, deleted() {}, lost() {}, found() {} },
    signal,
  );
  const failing = waitForRollout(bound, [job], {
    deadline: world.clock.now() + START_DEADLINE_MS,
    world: { ...world, signal },
  }).then((report) => rolloutFailure(report));
  try {
    const first = await Promise.race([running, failing, following.then(() => undefined)]);
    world.signal.throwIfAborted();
    if (typeof first === "string") return first;
    throw notRunning((await failing) as UserError, job);
  } finally {
    done.abort();
    await Promise.allSettled([failing, following]);
  }
}

function podsOf({ namespace, name }: ObjectRef) {
  const labelSelector = `${JOB_LABEL}=${name}`;
  return { apiVersion: "v1", kind: "Pod", namespace, labelSelector };
}

function stateOf({ status }: ServerPod) {
  return status?.containerStatuses?.find(({ name }) => name === CONTAINER)?.state;
}

function notRunning(failure: UserError, { namespace }: ObjectRef): UserError {
  return new UserError(
    {
      title: "No pod for the throw-away server",
      cause: `In namespace ${namespace}, ${failure.cause}`,
      remedy: failure.remedy,
      ...(failure.evidence === undefined ? {} : { evidence: failure.evidence }),
    },
    { reason: failure },
  );
}

/**
 * Why a Job's pod came to its end, as far as that shows within some seconds; undefined where it
 * still runs.
 */
export async function endOf(
  cluster: Cluster,
  job: ObjectRef,
  world: World,
  within = END_DEADLINE_MS,
): Promise<LimitReached | ServerGone | undefined> {
  const until = world.clock.now() + within;
  const bound = cluster.within(2 * within);
  for (;;) {
    const { items } = await bound.list<ServerPod>(podsOf(job));
    const [pod] = items;
    if (pod === undefined) return new ServerGone("Its pod was deleted while it was in use.");
    const end = whyEnded(pod);
    if (end !== undefined || world.clock.now() >= until) return end;
    await world.clock.sleep(LOOK_AGAIN_MS, world.signal);
  }
}

/** What a pod says of its own end; undefined while it lives. */
export function whyEnded(pod: ServerPod): LimitReached | ServerGone | undefined {
  const { phase, reason = "", message = "" } = pod.status ?? {};
  const run = stateOf(pod)?.terminated;
  const words = [reason, message].filter((word) => word !== "").join(": ");
  if (run?.reason === "OOMKilled") {
    return new LimitReached(
      "memory",
      "The throw-away server was killed, for it used more than its memory (OOMKilled).",
    );
  }
  if (reason === "DeadlineExceeded") {
    return new LimitReached("time", `The cluster ended the throw-away server: ${words}.`);
  }
  if (reason === "Evicted" && /storage|emptydir|disk|inode/i.test(message)) {
    return new LimitReached("disk", `The node drove the throw-away server out: ${words}.`);
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    return new ServerGone(
      `Its pod ${pod.metadata.name} was deleted while it was in use${words === "" ? "" : ` (${words})`}.`,
    );
  }
  if (run === undefined && phase !== "Failed" && phase !== "Succeeded") return undefined;
  const how = run === undefined ? words : `exit code ${run.exitCode}${words && `, ${words}`}`;
  return new ServerGone(`Its pod ${pod.metadata.name} ended while it was in use: ${how}.`);
}
