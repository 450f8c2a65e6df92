import { UserError } from "../../failure/index.ts";
import type { Reason } from "../verdict/index.ts";

/** What came of waiting for a rollout: plain data, fit for JSON. Times are RFC 3339, UTC. */
export interface RolloutReport {
  readonly verdict: "ready" | "failed" | "timed-out" | "cancelled";
  readonly cause?: ReportedCause | undefined;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly seconds: number;
  /** How many of the resources are in which state. */
  readonly counts: Readonly<Record<(typeof STATES)[number], number>>;
  readonly resources: readonly ResourceReport[];
  readonly evidence: Evidence;
}

export const STATES = ["ready", "progressing", "failing", "failed"] as const;

export interface ReportedCause {
  /** `deployment/web` */
  readonly resource: string;
  readonly namespace: string;
  readonly reason: Reason;
  /** One sentence that begins with the resource. */
  readonly message: string;
  readonly remedy: string;
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
  readonly exitCode?: number | undefined;
  /** When the watch first showed the trouble. */
  readonly firstSeenAt: string;
  /** When it was first certain: the same, later by its grace. The verdict cannot come sooner. */
  readonly causeSeenAt: string;
}

export interface ResourceReport {
  readonly resource: string;
  readonly namespace: string;
  readonly state: (typeof STATES)[number];
  readonly missing: readonly string[];
  readonly notes: readonly string[];
  readonly cause?: { readonly reason: string; readonly message: string } | undefined;
  /** Every change of state, the first one at the beginning. */
  readonly timeline: readonly Moment[];
}

export interface Moment {
  readonly at: string;
  readonly state: ResourceReport["state"];
  readonly text: string;
}

export interface Evidence {
  readonly logs: readonly LogTail[];
  readonly events: readonly EventGroup[];
  /** What could not be read, and why. */
  readonly unavailable: readonly string[];
}

export interface LogTail {
  readonly pod: string;
  readonly container: string;
  readonly run: "current" | "previous";
  readonly lines: readonly string[];
}

export interface EventGroup {
  /** `pod/web-5d4f-abcde` */
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
  readonly lastAt: string;
}

const TITLES: Readonly<Record<RolloutReport["verdict"], string>> = {
  ready: "Rolled out",
  failed: "The rollout failed",
  "timed-out": "The rollout was not done in time",
  cancelled: "Cancelled while waiting for the rollout",
};

/** Of many resources that are not ready, so many are named in a sentence. */
const MOST_NAMED = 5;

/** The failure that a report amounts to; undefined when all is ready. */
export function rolloutFailure(report: RolloutReport): UserError | undefined {
  if (report.verdict === "ready") return undefined;
  const waiting = report.resources.filter(({ state }) => state !== "ready");
  const lines = waiting
    .slice(0, MOST_NAMED)
    .map(({ resource, missing }) => `${resource}: ${missing.join("; ") || "not seen yet"}`);
  if (waiting.length > MOST_NAMED) lines.push(`And ${waiting.length - MOST_NAMED} more`);
  const evidence = evidenceText(report.evidence);
  return new UserError({
    title: TITLES[report.verdict],
    cause: report.cause?.message ?? `Not ready: ${lines.join(". ")}.`,
    remedy:
      report.verdict === "cancelled"
        ? "Nothing was changed here; the cluster goes on with the rollout. Run again to wait for it."
        : (report.cause?.remedy ?? "Look at what is missing, or give it more time."),
    ...(evidence === "" ? {} : { evidence }),
  });
}

/**
 * What an output can carry, and a later step can take from it: Linux refuses a variable of the
 * environment above 128 KiB.
 */
const BRIEF_CHARACTERS = 60_000;

/** A report of which parts may have been left out for its size. */
export interface BriefReport extends RolloutReport {
  /** How many resources are left out; `counts` counts them all the same. */
  readonly omitted: number;
}

/**
 * The report, small enough for an output: of many resources the timelines go first, then those
 * that are ready, then the rest. The cause and its evidence stay.
 */
export function briefReport(report: RolloutReport): BriefReport {
  const whole = { ...report, omitted: 0 };
  if (sizeOf(whole) <= BRIEF_CHARACTERS) return whole;
  const room = BRIEF_CHARACTERS - sizeOf({ ...whole, resources: [] });
  const ordered = [...report.resources].sort((a, b) => weightOf(b) - weightOf(a));
  const resources: ResourceReport[] = [];
  let used = 0;
  for (const resource of ordered) {
    const brief = { ...resource, timeline: resource.timeline.slice(-1) };
    used += sizeOf(brief) + 1;
    if (used > room) break;
    resources.push(brief);
  }
  return { ...whole, resources, omitted: report.resources.length - resources.length };
}

/** The worse, the more it is worth telling. */
function weightOf({ state }: ResourceReport): number {
  return STATES.indexOf(state);
}

function sizeOf(value: unknown): number {
  return JSON.stringify(value).length;
}

/** Events and log tails as plain text. */
export function evidenceText({ logs, events, unavailable }: Evidence): string {
  const blocks = logs
    .filter(({ lines }) => lines.length > 0)
    .map(({ pod, container, run, lines }) =>
      [
        `Log of container ${container} of pod ${pod} (${run} run), last lines:`,
        ...lines.map(indent),
      ].join("\n"),
    );
  if (events.length > 0) blocks.push(["Events:", ...events.map(eventLine)].join("\n"));
  if (unavailable.length > 0) blocks.push(["Not read:", ...unavailable.map(indent)].join("\n"));
  return blocks.join("\n\n");
}

function eventLine({ type, reason, object, message, count }: EventGroup): string {
  return indent(`${type} ${reason} ${object}: ${message}${count > 1 ? ` (${count} times)` : ""}`);
}

function indent(line: string): string {
  return `  ${line}`;
}
