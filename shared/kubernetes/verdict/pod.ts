import { type ContainerStatus, conditionOf, type Pod } from "../workload.ts";
import { conditionWords } from "./conditions.ts";
import {
  type ContainerSight,
  containerProblems,
  endingsOf,
  endOfRun,
  probeDue,
  settledAt,
  waitingFor,
} from "./container.ts";
import { imageProblem } from "./image.ts";
import { latestEvent, type Sight } from "./sight.ts";
import { type Assessment, type Problem, READY, underway } from "./verdict.ts";

/** Ends of a pod that the workload is not to blame for; its controller makes another. */
const NOT_ITS_FAULT =
  /Evicted|Preempt|NodeLost|NodeShutdown|Shutdown|Terminated|OutOf|Admission|NodeAffinity/;

/** The verdict on a pod that nobody but the user made. */
export function assessBarePod(pod: Pod, sight: Sight): Assessment {
  if (pod.status?.phase === "Succeeded") return { ...READY, notes: ["it ran to its end"] };
  if (pod.status?.phase === "Failed") {
    return underway(["it failed"], { problems: [failedPod(pod, sight)] });
  }
  return assessPod(pod, sight);
}

/** Whether a pod is over for good: nothing starts its containers again. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === "Failed" || status?.phase === "Succeeded";
}

/** Limits of a pod's own, beyond which its node evicts it. */
const OWN_LIMIT = /exceed(s|ed) (the|its) .*(limit|total)/i;

/** Whether a pod was ended by its node for what it asks for or does, not for the node's own sake. */
export function endsByItself({ status }: Pod): boolean {
  const { phase, reason = "", message = "" } = status ?? {};
  if (phase !== "Failed" || reason === "") return false;
  return reason === "Evicted" ? OWN_LIMIT.test(message) : !NOT_ITS_FAULT.test(reason);
}

/** A note on a pod that ended: whose fault it was, its own words tell. */
export function endNote({ metadata, status }: Pod): string {
  const { phase, reason, message } = status ?? {};
  const why = [reason ?? phase, message].filter(Boolean).join(": ");
  return `pod ${metadata.name} ended (${why}), and its controller makes another`;
}

/** What can be said of one pod that runs or is to run. */
export function assessPod(pod: Pod, sight: Sight): Assessment {
  const lost = lostWords(pod);
  if (lost !== undefined) return underway([lost]);
  const containers = containersOf(pod);
  const problems = [
    ...schedulingProblems(pod, sight),
    ...unreported(pod).flatMap((status) => imageProblem(pod, status, sight) ?? []),
    ...containers.flatMap((container) => containerProblems(container, sight)),
    ...nodeProblems(pod, containers, sight),
  ];
  const settled = Math.max(0, ...containers.map((container) => settledAt(container, sight)));
  const dues = containers.flatMap((container) => probeDue(container) ?? []);
  const next = [settled, ...dues].filter((time) => time > sight.now);
  const lookAgainAt = next.length > 0 ? Math.min(...next) : undefined;
  const notes = containers.flatMap((container) => restartNote(pod, container));
  if (isReady(pod)) {
    if (settled <= sight.now) return { ready: true, missing: [], notes, problems, lookAgainAt };
    const wait = `pod ${pod.metadata.name} is up, but not for long enough to be believed`;
    return underway([`${wait}${warningOf(pod, sight)}`], { problems, notes, lookAgainAt });
  }
  const hint = problems.length === 0 ? warningOf(pod, sight) : "";
  return underway([`${whyNotReady(pod, containers)}${hint}`], { problems, notes, lookAgainAt });
}

/** Nobody knows how a pod is whose node does not answer: it is no fault of the pod. */
function lostWords(pod: Pod): string | undefined {
  const ready = conditionOf(pod, "Ready");
  if (ready?.status !== "Unknown" && ready?.reason !== "NodeNotReady") return undefined;
  return `pod ${pod.metadata.name} on node ${pod.spec.nodeName}: ${conditionWords(ready)}`;
}

/** Warnings that a verdict of its own speaks of. */
const SPOKEN_OF = ["BackOff", "Failed", "FailedScheduling"];
const LONGEST_HINT = 200;

/** The newest warning about a pod, quoted: a hint for the reader, no verdict. */
function warningOf(pod: Pod, sight: Sight): string {
  const warning = sight
    .events(pod.metadata.uid)
    .findLast(({ type, reason }) => type === "Warning" && !SPOKEN_OF.includes(reason ?? ""));
  if (warning === undefined) return "";
  const words = (warning.message ?? "").split("\n")[0]?.slice(0, LONGEST_HINT);
  return ` (${warning.reason}: ${words})`;
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

/** Since when a pod is ready, in milliseconds since the Unix epoch; 0 when it is not or not told. */
export function readySince(pod: Pod): number {
  const { status, lastTransitionTime } = conditionOf(pod, "Ready") ?? {};
  return status === "True" && lastTransitionTime ? Date.parse(lastTransitionTime) : 0;
}

/** Every container of a pod that has a status, init containers first. */
export function containersOf(pod: Pod): ContainerSight[] {
  const join = (
    specs: Pod["spec"]["containers"],
    statuses: readonly ContainerSight["status"][] | undefined,
    init: boolean,
  ) =>
    (statuses ?? []).flatMap((status): ContainerSight[] => {
      const spec = specs.find(({ name }) => name === status.name);
      return spec === undefined ? [] : [{ pod, spec, status, init }];
    });
  return [
    ...join(pod.spec.initContainers ?? [], pod.status?.initContainerStatuses, true),
    ...join(pod.spec.containers, pod.status?.containerStatuses, false),
  ];
}

/** Containers that the node has not reported on: it may have told of their images by events. */
function unreported({ spec, status }: Pod): ContainerStatus[] {
  const reported = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const state = { waiting: { reason: "ContainerCreating" } };
  return [...(spec.initContainers ?? []), ...spec.containers]
    .filter(({ name }) => !reported.some((one) => one.name === name))
    .map(({ name, image = "" }) => ({ name, image, ready: false, restartCount: 0, state }));
}

function whyNotReady(pod: Pod, containers: readonly ContainerSight[]): string {
  const { name } = pod.metadata;
  if (pod.spec.nodeName === undefined) {
    const scheduled = conditionOf(pod, "PodScheduled");
    const gated = scheduled?.reason === "SchedulingGated";
    return `pod ${name} ${gated ? "is held back by a scheduling gate" : "waits for a node"}`;
  }
  const waiting = containers.map(waitingFor).filter((phrase) => phrase !== undefined);
  const telling = waiting.find((phrase) => !phrase.endsWith("PodInitializing")) ?? waiting[0];
  if (telling !== undefined) return `pod ${name}: ${telling}`;
  const gate = pod.status?.conditions?.find(
    ({ type, status }) => type.includes("/") && status !== "True",
  );
  if (gate !== undefined) return `pod ${name}: readiness gate ${gate.type} is ${gate.status}`;
  return `pod ${name}: ${pod.status?.phase ?? "not started"}`;
}

function restartNote(pod: Pod, { status }: ContainerSight): string[] {
  const endings = endingsOf(status);
  if (endings === 0 || status.state?.running === undefined) return [];
  return [
    `container ${status.name} of pod ${pod.metadata.name} was restarted ${status.restartCount} times`,
  ];
}

function schedulingProblems(pod: Pod, sight: Sight): Problem[] {
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return [];
  const { name, uid } = pod.metadata;
  const helped = latestEvent(sight, uid, ["TriggeredScaleUp", "Nominated"]) !== undefined;
  const words = (scheduled.message ?? "").replace(PREEMPTION, "").trim();
  const message = `no node takes pod ${name}: ${words || "the scheduler gives no reason"}`;
  if (/persistentvolumeclaim/i.test(words)) {
    return [
      {
        pod: name,
        key: `schedule:${uid}`,
        reason: "VolumeNotBound",
        message,
        remedy: "Create the claim, or see why it gets no volume: kubectl describe pvc tells.",
        grace: sight.graces.volume,
      },
    ];
  }
  return [
    {
      pod: name,
      key: `schedule:${uid}`,
      reason: "Unschedulable",
      message,
      remedy:
        "Ask for less, add a node, or mend nodeSelector, affinity and tolerations: the scheduler's " +
        "words count the nodes that each one ruled out.",
      grace: helped
        ? Math.max(sight.graces.scaleUp, sight.graces.unschedulable)
        : sight.graces.unschedulable,
    },
  ];
}

/** What the scheduler adds on other pods that it might have driven out. */
const PREEMPTION = / ?(no new claims to deallocate, ?)?preemption: .*$/;

/** Volumes and sandboxes: only events tell of them, and only while no container has begun. */
function nodeProblems(pod: Pod, containers: readonly ContainerSight[], sight: Sight): Problem[] {
  const { name, uid } = pod.metadata;
  const begun = containers.some(({ status }) => {
    const reason = status.state?.waiting?.reason;
    return reason !== "ContainerCreating" && reason !== "PodInitializing";
  });
  if (begun || pod.spec.nodeName === undefined) return [];
  const event = latestEvent(sight, uid, [
    "FailedMount",
    "FailedAttachVolume",
    "FailedCreatePodSandBox",
  ]);
  const words = event?.message ?? "";
  if (event === undefined || /failed to sync (configmap|secret) cache/.test(words)) return [];
  if (event.reason === "FailedCreatePodSandBox") {
    const tooLittle = /memory limit too low|OOM-killed|out of memory/i.test(words);
    return [
      {
        pod: name,
        key: `sandbox:${uid}`,
        reason: "SandboxFailed",
        message: `pod ${name} cannot be set up on its node: ${words.replace(/^Failed to create pod sandbox: /, "")}`,
        remedy: tooLittle
          ? "Raise the memory limit: it is too low even to start a container."
          : "The node's network or runtime is in trouble: look at the node.",
        grace: tooLittle ? sight.graces.containerCreate : sight.graces.sandbox,
      },
    ];
  }
  return [
    {
      pod: name,
      key: `volume:${uid}`,
      reason: "VolumeNotMounted",
      message: `a volume of pod ${name} cannot be mounted: ${words}`,
      remedy:
        "Create the ConfigMap, Secret or claim that is named there, or look at the storage driver.",
      grace: sight.graces.volume,
    },
  ];
}

function failedPod(pod: Pod, sight: Sight): Problem {
  const { name, uid } = pod.metadata;
  const { reason, message } = pod.status ?? {};
  const ended = containersOf(pod).find(
    ({ status }) => (status.state?.terminated?.exitCode ?? 0) !== 0,
  );
  const run = ended?.status.state?.terminated;
  const code = run?.exitCode;
  const end = ended === undefined || run === undefined ? undefined : endOfRun(ended, run, sight);
  const why = [reason, message, end].filter(Boolean);
  const fault = NOT_ITS_FAULT.test(reason ?? "");
  return {
    pod: name,
    ...(ended === undefined ? {} : { container: ended.status.name }),
    ...(code === undefined ? {} : { exitCode: code }),
    key: `failed:${uid}`,
    reason: "PodFailed",
    message: `pod ${name} failed: ${why.join(", ") || "without a reason"}`,
    remedy: fault
      ? "The node ended it, not the program: make the pod again."
      : "Read its log below; a pod without a controller is not started again.",
    grace: 0,
  };
}
