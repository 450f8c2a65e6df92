import { UserError } from "../../failure/index.ts";
import type { Cluster } from "../cluster.ts";
import { type ClusterEvent, countOf, lastSeenOf } from "../workload.ts";
import type { EventGroup, LogTail } from "./report.ts";

const LINES = 25;
const MOST_EVENTS = 30;
const LONGEST_LINE = 500;
const LONGEST_MESSAGE = 1_000;
/** A log that does not come within this is left out: the verdict must not wait for it. */
const LOG_PATIENCE_MS = 1_500;

/** The kubelet answers this with status 200 when a container is gone already. */
const NO_LONGER_THERE = /^unable to retrieve container logs for /;

export interface ContainerName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/**
 * The last lines of a container's run, or why there are none. A container that never ran has no
 * log, which is no failure to read it.
 */
export async function readLog(
  cluster: Cluster,
  { namespace, pod, container }: ContainerName,
  run: LogTail["run"],
): Promise<LogTail | string> {
  const previous = run === "previous";
  try {
    const text = await cluster
      .within(LOG_PATIENCE_MS)
      .logs({ namespace, pod, container, previous, tailLines: LINES });
    return {
      pod,
      container,
      run,
      lines: NO_LONGER_THERE.test(text) ? [] : tailOf(cluster.redact(text)),
    };
  } catch (error) {
    if (!(error instanceof UserError)) return `log of ${pod}: no answer in time`;
    if (/waiting to start|not found|is not available/.test(error.cause)) {
      return { pod, container, run, lines: [] };
    }
    return `log of pod ${pod}: ${error.cause}`;
  }
}

function tailOf(text: string): string[] {
  const lines = text.split(/[\r\n]/).map((line) => line.trimEnd().slice(0, LONGEST_LINE));
  return lines.filter((line) => line !== "").slice(-LINES);
}

const TELLING =
  /error|fatal|panic|exception|cannot|can't|could not|failed|refused|denied|missing|not found|invalid/i;
/** Lines that programs write after the reason: stack frames, versions, closing braces. */
const NOISE = /^\s|^(Node\.js v|goroutine |exit status|npm (error|ERR!)|[{}()[\]])/;

/** The line of a log that most likely says why the program ended. */
export function tellingLine(lines: readonly string[]): string | undefined {
  const sensible = lines.filter((line) => !NOISE.test(line));
  return sensible.findLast((line) => TELLING.test(line)) ?? sensible.at(-1) ?? lines.at(-1)?.trim();
}

/** Events with the same words about the same object, as one; the newest last. */
export function groupEvents(events: readonly ClusterEvent[]): EventGroup[] {
  const groups = new Map<string, EventGroup>();
  for (const event of [...events].sort((a, b) => lastSeenOf(a) - lastSeenOf(b))) {
    const { involvedObject, type = "Normal", reason = "", message = "" } = event;
    const object = `${(involvedObject.kind ?? "object").toLowerCase()}/${involvedObject.name ?? ""}`;
    const key = [object, type, reason, message].join("\n");
    const count = (groups.get(key)?.count ?? 0) + countOf(event);
    const lastAt = new Date(lastSeenOf(event)).toISOString();
    const words = message
      .trim()
      .replace(/\s*[\r\n]\s*/g, " ")
      .slice(0, LONGEST_MESSAGE);
    groups.set(key, { object, type, reason, message: words, count, lastAt });
  }
  return [...groups.values()].slice(-MOST_EVENTS);
}
