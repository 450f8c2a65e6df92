import type {
  EventGroup,
  LogTail,
  ResourceReport,
  RolloutReport,
} from "../../shared/kubernetes/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";

const HEADINGS: Readonly<Record<RolloutReport["verdict"], string>> = {
  ready: "✅ Rolled out",
  failed: "❌ The rollout failed",
  "timed-out": "❌ The rollout was not done in time",
  cancelled: "⏹️ Cancelled while waiting",
};

/** The job summary of a rollout: verdict, timeline, table, evidence. */
export function summarize(report: RolloutReport): string {
  const { cause, evidence } = report;
  const parts = [`## ${HEADINGS[report.verdict]} after ${report.seconds} s\n`];
  if (cause !== undefined) {
    parts.push(`${escapeMarkdown(cause.message)}\n`);
    parts.push(`**What to do:** ${escapeMarkdown(cause.remedy)}\n`);
  }
  if (report.resources.length === 0) {
    return `${parts.join("\n")}\nNothing was waited for, and so nothing checked.\n`;
  }
  parts.push(codeBlock(timeline(report), "mermaid"));
  const told = troubledFirst(report.resources).slice(0, MOST_ROWS);
  parts.push(table(["Resource", "Namespace", "State", ""], told.map(row)));
  const rest = report.resources.length - told.length;
  if (rest > 0) parts.push(`And ${rest} more; the output \`report\` has their counts.\n`);
  for (const log of evidence.logs) parts.push(logDetails(log));
  if (evidence.events.length > 0) parts.push(eventDetails(evidence.events));
  if (evidence.unavailable.length > 0) {
    const lines = evidence.unavailable.map((line) => `- ${escapeMarkdown(line)}`);
    parts.push(`Not read, and so not part of the evidence:\n\n${lines.join("\n")}\n`);
  }
  return parts.join("\n");
}

const MOST_SECTIONS = 20;
const MOST_ROWS = 200;
const STATES = ["failed", "failing", "progressing", "ready"];

/** What a reader looks for comes first; otherwise the order in which it was asked for. */
function troubledFirst(resources: readonly ResourceReport[]): readonly ResourceReport[] {
  return [...resources].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
}

const BARS = {
  ready: "done, ",
  progressing: "active, ",
  failing: "crit, ",
  failed: "crit, done, ",
};

/** A Gantt chart, a bar for each time that a resource spent in one state. */
export function timeline(report: RolloutReport): string {
  const end = Date.parse(report.endedAt);
  const shown = troubledFirst(report.resources).slice(0, MOST_SECTIONS);
  const sections = shown.flatMap((resource) => {
    const bars = barsOf(resource, end);
    return [`  section ${plain(resource.resource)}`, ...bars];
  });
  return ["gantt", "  dateFormat x", "  axisFormat %H:%M:%S", ...sections].join("\n");
}

function barsOf({ timeline: moments }: ResourceReport, end: number): string[] {
  const changes = moments.filter(({ state }, index) => moments[index - 1]?.state !== state);
  return changes.map(({ at, state }, index) => {
    const from = Date.parse(at);
    const next = changes[index + 1];
    const to = next === undefined ? end : Date.parse(next.at);
    // A bar of no width would not be seen.
    return `  ${state} :${BARS[state]}${from}, ${Math.max(to, from + 100)}`;
  });
}

/** Colons, semicolons and hashes have a meaning in Mermaid. */
function plain(text: string): string {
  return text.replace(/[^\w ./-]/g, " ");
}

function row({ resource, namespace, state, missing, notes, cause }: ResourceReport): string[] {
  const words = cause?.message ?? [...missing, ...notes].join("; ");
  return [code(resource), code(namespace), state, escapeMarkdown(words)];
}

function logDetails({ pod, container, run, lines }: LogTail): string {
  if (lines.length === 0) return "";
  return details(`Log of ${container} in ${pod} (${run} run)`, codeBlock(lines.join("\n")));
}

function eventDetails(events: readonly EventGroup[]): string {
  const rows = events.map(({ lastAt, type, reason, object, message, count }) => [
    lastAt.slice(11, 19),
    escapeMarkdown(type),
    code(reason),
    code(object),
    escapeMarkdown(message),
    String(count),
  ]);
  return details(
    "Events",
    table(["Last at", "Type", "Reason", "Object", "Message", "Count"], rows),
  );
}
