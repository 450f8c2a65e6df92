import type { UserError } from "../../shared/failure/index.ts";
import { type Phase, timeline } from "../../shared/journal/index.ts";
import { code, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { Ready } from "../../shared/tools/index.ts";
import type { Result } from "./report.ts";

const SOURCES: Readonly<Record<Ready["source"], string>> = {
  path: "was on the PATH",
  cache: "tool cache",
  download: "fetched",
};
const CHECKS: Readonly<Record<Ready["checked"], string>> = {
  "built-in": "checksum of the table",
  own: "checksum of your own table",
  "not checked": "version only",
};

/** The job summary: verdict, the time of each tool, and what later steps have. */
export function summarize(
  results: readonly Result[],
  phases: readonly Phase[],
  seconds: number,
  failure: UserError | undefined,
): string {
  const ready = results.filter((result) => result.ready !== undefined).length;
  const parts = [
    failure === undefined
      ? `## ✅ ${count(ready)} ready after ${seconds} s\n`
      : `## ❌ ${escapeMarkdown(failure.title)}\n`,
  ];
  if (failure !== undefined) {
    parts.push(...failure.cause.split("\n").map((line) => `${escapeMarkdown(line)}\n`));
    parts.push(`**What to do:** ${escapeMarkdown(failure.remedy)}\n`);
  }
  parts.push(timeline("tools", phases, seconds));
  const head = ["Tool", "Asked for", "Version", "From", "Held to", "Program", "Seconds"];
  parts.push(table(head, results.map(row)));
  return parts.join("\n");
}

function count(tools: number): string {
  return tools === 1 ? "1 tool is" : `${tools} tools are`;
}

function row({ tool, asked, seconds, ready, failure }: Result): string[] {
  const first = [code(tool), code(asked)];
  if (ready === undefined) {
    return [...first, "", `❌ ${escapeMarkdown(failure?.title ?? "")}`, "", "", `${seconds}`];
  }
  const { version, source, checked, path } = ready;
  return [...first, code(version), SOURCES[source], CHECKS[checked], code(path), `${seconds}`];
}
