import {
  type ContainerSpec,
  type ContainerStatus,
  lastSeenOf,
  type Pod,
  type Probe,
  type Terminated,
} from "../workload.ts";
import { imageProblem } from "./image.ts";
import { type Killing, killingOf } from "./killing.ts";
import { describeProbe } from "./probe-words.ts";
import { latestEvent, type Sight } from "./sight.ts";
import type { Problem } from "./verdict.ts";

export interface ContainerSight {
  readonly pod: Pod;
  readonly spec: ContainerSpec;
  readonly status: ContainerStatus;
  readonly init: boolean;
}

/** Words of a runtime for a container that will never start as it is. */
const NEVER_STARTS =
  /executable file not found|no such file or directory|permission denied|not a directory|is a directory|exec format error|exec: "[^"]*": |unable to find user|no users found|must be (an absolute|unique)|invalid/i;
/** ... unless the runtime only had no time. */
const RAN_OUT_OF_TIME = /deadline exceeded|timed? ?out|name "[^"]*" is reserved/i;
const WRONG_ARCHITECTURE = /exec format error|exec user process caused/i;
/** A kubelet that has not yet heard of an object says this of objects that exist. */
const CACHE_NOT_SYNCED = /failed to sync (configmap|secret) cache/i;
/** Conflicts between the pod's own words, which no waiting solves. */
const CONTRADICTION = /runAsNonRoot|non-numeric user|image will run as root/i;

/** What keeps one container from running as it should. */
export function containerProblems(container: ContainerSight, sight: Sight): Problem[] {
  const { pod, status } = container;
  const found =
    imageProblem(pod, status, sight) ??
    configProblem(container, sight) ??
    startProblem(container, sight) ??
    crashProblem(container, sight) ??
    probeProblem(container, sight);
  return found === undefined ? [] : [found];
}

/** A phrase for a container that is not there yet; undefined when nothing is amiss. */
export function waitingFor({ spec, status, init }: ContainerSight): string | undefined {
  const { waiting, running, terminated } = status.state ?? {};
  const name = `${init ? "init container" : "container"} ${status.name}`;
  if (waiting !== undefined) return `${name}: ${waiting.reason ?? "waiting"}`;
  if (terminated !== undefined && (!init || terminated.exitCode !== 0)) {
    return `${name}: ended with ${endOf(terminated)}`;
  }
  if (running === undefined) return undefined;
  if (init && spec.restartPolicy !== "Always") return `${name} is running`;
  if (spec.startupProbe !== undefined && status.started !== true) return `${name}: starting`;
  return status.ready ? undefined : `${name}: not ready`;
}

/** States of a container between two runs. */
const BACKING_OFF = ["CrashLoopBackOff", "PostStartHookError"];

/** How many times the container has ended; of a running one, how many times before. */
export function endingsOf(status: ContainerStatus): number {
  const { waiting, terminated } = status.state ?? {};
  const ended = terminated !== undefined || BACKING_OFF.includes(waiting?.reason ?? "");
  return status.restartCount + (ended ? 1 : 0);
}

/**
 * When a container that runs has run for long enough to be believed, in milliseconds since the
 * Unix epoch. A readiness probe speaks for itself; without one `running` means only that the
 * program was started; one that was restarted must show that it stays; and one whose liveness probe
 * fails is about to be killed.
 */
export function settledAt({ pod, spec, status }: ContainerSight, sight: Sight): number {
  const startedAt = status.state?.running?.startedAt;
  if (!startedAt) return 0;
  const { restarted, unprobed } = sight.graces;
  const needed =
    status.restartCount > 0 ? restarted : spec.readinessProbe === undefined ? unprobed : 0;
  const started = Date.parse(startedAt);
  const spared = sparedAt({ pod, spec, status }, started, sight);
  if (needed === 0) return spared;
  const seen = sight.runSeenAt?.(pod.metadata.uid, status.name, startedAt) ?? started;
  // A node that told late of the start tells late of the end too.
  const from = Math.max(started, Math.min(seen, started + LATEST_REPORT_MS));
  return Math.max(spared, from + needed);
}

/** The longest that nodes are known to take, when they are very busy, to report a change. */
const LATEST_REPORT_MS = 10_000;

/** When a container whose liveness probe failed in this run would have been killed for it. */
function sparedAt(
  { pod, spec, status }: Omit<ContainerSight, "init">,
  startedAt: number,
  sight: Sight,
): number {
  if (spec.livenessProbe === undefined) return 0;
  const failed = sight
    .events(pod.metadata.uid)
    .findLast(
      ({ reason, message, involvedObject }) =>
        reason === "Unhealthy" &&
        message?.startsWith("Liveness probe") === true &&
        involvedObject.fieldPath?.includes(`{${status.name}}`) !== false,
    );
  if (failed === undefined || lastSeenOf(failed) < startedAt) return 0;
  const { failureThreshold = 3, periodSeconds = 10, timeoutSeconds = 1 } = spec.livenessProbe;
  return lastSeenOf(failed) + (failureThreshold * periodSeconds + timeoutSeconds) * 1_000;
}

/**
 * The latest moment, in milliseconds after the start of a container, at which a program that is
 * well is seen ready by its probe. Half a period is added for the kubelet's jitter.
 */
export function timeToReady(probe: Probe): number {
  const period = probe.periodSeconds ?? 10;
  const timeout = probe.timeoutSeconds ?? 1;
  const turns = (probe.failureThreshold ?? 3) + (probe.successThreshold ?? 1) - 3;
  const seconds =
    (probe.initialDelaySeconds ?? 0) + timeout + turns * period + period / 2 + timeout;
  return Math.max(0, seconds) * 1_000;
}

function configProblem({ pod, status, init }: ContainerSight, sight: Sight): Problem | undefined {
  const { reason, message = "" } = status.state?.waiting ?? {};
  if (reason !== "CreateContainerConfigError" || CACHE_NOT_SYNCED.test(message)) return undefined;
  const never = CONTRADICTION.test(message);
  return {
    ...placeOf(pod, status),
    key: `config:${pod.metadata.uid}:${status.name}`,
    reason: "ConfigError",
    message: `${whereOf(pod, status, init)} cannot be created: ${message || reason}`,
    remedy: never
      ? "Give the container a numeric, non-root user, or allow what the image needs."
      : "Create what is named there before the workload, in the same namespace, or correct the reference.",
    grace: never ? 0 : sight.graces.config,
  };
}

const START_REASONS = [
  "RunContainerError",
  "CreateContainerError",
  "StartError",
  "ContainerCannotRun",
];

function startProblem({ pod, status, init }: ContainerSight, sight: Sight): Problem | undefined {
  const { state, lastState } = status;
  const candidates = [state?.waiting, state?.terminated];
  // Between two tries only the last run tells why it never started.
  if (state?.waiting?.reason === "CrashLoopBackOff") candidates.push(lastState?.terminated);
  const found = candidates.find((one) => START_REASONS.includes(one?.reason ?? ""));
  if (found === undefined) return undefined;
  const words = runtimeWords(found.message ?? found.reason ?? "");
  const never = NEVER_STARTS.test(words) && !RAN_OUT_OF_TIME.test(words);
  return {
    ...placeOf(pod, status),
    key: `start:${pod.metadata.uid}:${status.name}`,
    reason: "CannotStart",
    message: `${whereOf(pod, status, init)} cannot start: ${words}`,
    remedy: "Compare command, args, mounts and user of the container with what its image holds.",
    grace: never ? 0 : sight.graces.containerCreate,
  };
}

function crashProblem(container: ContainerSight, sight: Sight): Problem | undefined {
  const { pod, status, init } = container;
  const ended = endedRun(container);
  if (ended === undefined) return undefined;
  const endings = endingsOf(status);
  const words = sight.lastWords(pod.metadata.uid, status.name);
  const wrongArchitecture = WRONG_ARCHITECTURE.test(words ?? "");
  const certain = wrongArchitecture || (endings >= sight.graces.crashes && !ranForLong(ended));
  const times = endings === 1 ? "" : ` ${endings} times`;
  const said = words === undefined ? "" : `; its last words: ${words}`;
  const killing = killingOf(pod, status, ended, sight);
  const why = killing?.words === undefined ? "" : ` (${killing.words})`;
  const killed = killing === undefined ? "" : `, killed because its ${killing.by} failed${why}`;
  return {
    ...placeOf(pod, status),
    // A crash loop is another thing than a first crash: it is first seen when it is one.
    key: `${certain ? "crash-loop" : "crash"}:${pod.metadata.uid}:${status.name}`,
    reason: wrongArchitecture ? "WrongArchitecture" : "CrashLoop",
    message: `${whereOf(pod, status, init)} crashed${times} with ${endOf(ended)}${killed}${said}`,
    remedy: remedyOf(ended, wrongArchitecture, killing),
    grace: certain ? 0 : Infinity,
    exitCode: ended.exitCode,
  };
}

/**
 * Whether a run was long enough for the kubelet to forget the crashes before it: a pod that is
 * restarted once a month is in no crash loop, whatever its count says.
 */
function ranForLong({ startedAt, finishedAt }: Terminated): boolean {
  if (!startedAt || !finishedAt) return false;
  return Date.parse(finishedAt) - Date.parse(startedAt) >= FORGIVEN_AFTER_MS;
}

/** The kubelet's MaxContainerBackOff is 5 min, and it forgives after twice that. */
const FORGIVEN_AFTER_MS = 10 * 60_000;

/** The run of a container that ended and should not have; undefined when there is none. */
function endedRun({ pod, spec, status, init }: ContainerSight): Terminated | undefined {
  const { waiting, terminated } = status.state ?? {};
  const backingOff = BACKING_OFF.includes(waiting?.reason ?? "")
    ? status.lastState?.terminated
    : undefined;
  const ended = terminated ?? backingOff;
  if (ended === undefined) return undefined;
  const restarts =
    spec.restartPolicy ?? (init ? "OnFailure" : (pod.spec.restartPolicy ?? "Always"));
  if (ended.exitCode === 0 && restarts !== "Always") return undefined;
  // Such pods are not restarted: their owner counts them.
  return restarts === "Never" || pod.spec.restartPolicy === "Never" ? undefined : ended;
}

function remedyOf(
  ended: Terminated,
  wrongArchitecture: boolean,
  killing: Killing | undefined,
): string {
  if (wrongArchitecture) return "Build the image for the architecture of the cluster's nodes.";
  if (killing?.by === "postStart hook") return "Correct the hook, or do without it.";
  if (killing !== undefined)
    return `Give the program more time or correct its ${killing.by}; the log tells more.`;
  if (isOutOfMemory(ended))
    return "Raise the container's memory limit, or make the program need less.";
  if (ended.exitCode === 0) return "The program ends by itself: run a server, or use a Job.";
  return "Read the log lines below: the program gave up by itself.";
}

function probeProblem(
  { pod, spec, status, init }: ContainerSight,
  sight: Sight,
): Problem | undefined {
  const startedAt = status.state?.running?.startedAt;
  const due = probeDue({ pod, spec, status, init });
  if (due === undefined || !startedAt || sight.now < due) return undefined;
  const unhealthy = latestEvent(sight, pod.metadata.uid, ["Unhealthy"])?.message?.trim();
  const said = unhealthy === undefined ? "" : `: ${unhealthy}`;
  const probe = spec.readinessProbe && describeProbe(spec.readinessProbe);
  const asked = probe === undefined ? "" : ` (${probe})`;
  const waited = Math.round((sight.now - Date.parse(startedAt)) / 1_000);
  return {
    ...placeOf(pod, status),
    key: `probe:${pod.metadata.uid}:${status.name}`,
    reason: "NotReady",
    message: `${whereOf(pod, status, init)} is not ready ${waited} s after its start: its readiness probe${asked} does not succeed${said}`,
    remedy: "Make the probe's address answer, or give the program more time by a startup probe.",
    grace: sight.graces.probe,
  };
}

/** When a running container that is not ready should have been; undefined when it needs no probe. */
export function probeDue({ spec, status }: ContainerSight): number | undefined {
  const startedAt = status.state?.running?.startedAt;
  const { readinessProbe, startupProbe } = spec;
  if (!startedAt || status.ready || readinessProbe === undefined) return undefined;
  // The kubelet itself ends a container whose startup probe fails for too long.
  if (startupProbe !== undefined && status.started !== true) return undefined;
  const startup = startupProbe === undefined ? 0 : timeToReady(startupProbe);
  return Date.parse(startedAt) + startup + timeToReady(readinessProbe);
}

/** How a run of a container ended that is not started again, with its last words. */
export function endOfRun(
  { pod, status, init }: ContainerSight,
  run: Terminated,
  sight: Sight,
): string {
  const words = sight.lastWords(pod.metadata.uid, status.name);
  const said = words === undefined ? "" : `; its last words: ${words}`;
  return `${whereOf(pod, status, init)} ended with ${endOf(run)}${said}`;
}

/** Runtimes wrap the reason in the names of their own layers. */
function runtimeWords(message: string): string {
  return message
    .replace(/^failed to (create|start) [^:]*: /, "")
    .replace(/^failed to create (shim )?task: /, "")
    .replace(/^OCI runtime create failed: /, "")
    .replace(/^runc create failed: /, "")
    .replace(/^unable to start container process: /, "")
    .trim();
}

function isOutOfMemory({ reason }: Terminated): boolean {
  return reason === "OOMKilled";
}

const SIGNALS: Readonly<Record<number, string>> = {
  6: "SIGABRT",
  9: "SIGKILL",
  11: "SIGSEGV",
  15: "SIGTERM",
};

function endOf(ended: Terminated): string {
  const signal = ended.signal ?? (ended.exitCode > 128 ? ended.exitCode - 128 : undefined);
  const name = signal === undefined ? undefined : (SIGNALS[signal] ?? `signal ${signal}`);
  const parts = [name, isOutOfMemory(ended) ? "out of memory" : undefined].filter(Boolean);
  return `exit code ${ended.exitCode}${parts.length > 0 ? ` (${parts.join(", ")})` : ""}`;
}

function placeOf(pod: Pod, status: ContainerStatus) {
  return { pod: pod.metadata.name, container: status.name };
}

function whereOf(pod: Pod, status: ContainerStatus, init: boolean): string {
  return `${init ? "init container" : "container"} "${status.name}" of pod ${pod.metadata.name}`;
}
