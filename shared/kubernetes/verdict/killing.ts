import { type ContainerStatus, lastSeenOf, type Pod, type Terminated } from "../workload.ts";
import type { Sight } from "./sight.ts";

/** Why the kubelet itself ended a container. */
export interface Killing {
  readonly by: "liveness probe" | "startup probe" | "postStart hook";
  /** What the probe or the hook said, where that is known. */
  readonly words: string | undefined;
}

const PROBES = ["liveness probe", "startup probe"] as const;
/** Exit codes of programs that were told to end, or made to. */
const ENDED_BY_SIGNAL = [137, 143];
/** Times of events and of container states are whole seconds. */
const ROUNDING_MS = 1_500;

/** Why the kubelet ended this run of a container; undefined where the program ended by itself. */
export function killingOf(
  pod: Pod,
  status: ContainerStatus,
  run: Terminated,
  sight: Sight,
): Killing | undefined {
  const { waiting } = status.state ?? {};
  const events = sight
    .events(pod.metadata.uid)
    .filter(({ involvedObject }) => concerns(involvedObject.fieldPath, status.name));
  const said = (reason: string) => events.findLast((event) => event.reason === reason)?.message;
  if (waiting?.reason === "PostStartHookError") {
    return { by: "postStart hook", words: waiting.message };
  }
  if (said("FailedPostStartHook") !== undefined && ENDED_BY_SIGNAL.includes(run.exitCode)) {
    return { by: "postStart hook", words: undefined };
  }
  const killed = said("Killing") ?? "";
  const unhealthy = events.findLast(
    (event) => event.reason === "Unhealthy" && during(lastSeenOf(event), run),
  );
  const by = PROBES.find(
    (probe) =>
      killed.includes(`failed ${probe}`) ||
      // A kubelet in a hurry drops events: a signal after a failing probe tells the same.
      (ENDED_BY_SIGNAL.includes(run.exitCode) &&
        run.reason !== "OOMKilled" &&
        unhealthy?.message?.toLowerCase().startsWith(`${probe} failed`) === true),
  );
  if (by === undefined) return undefined;
  const failed = new RegExp(`^${by} failed: (?<words>[^\\n]+)`, "i");
  const words = events
    .map(({ message }) => failed.exec(message ?? "")?.groups?.words?.trim())
    .findLast((text) => text !== undefined && text !== "");
  return { by, words };
}

/** Events of older kubelets do not say which container they are about. */
function concerns(fieldPath: string | undefined, container: string): boolean {
  return fieldPath?.includes(`{${container}}`) !== false;
}

function during(time: number, { startedAt, finishedAt }: Terminated): boolean {
  if (!startedAt || !finishedAt) return false;
  return (
    time >= Date.parse(startedAt) - ROUNDING_MS && time <= Date.parse(finishedAt) + ROUNDING_MS
  );
}
