import type { UserError } from "../../shared/failure/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import { seconds } from "./narrator.ts";
import type { ServiceResult } from "./result.ts";

interface Verdict {
  readonly pushed: boolean;
  readonly failure: UserError | undefined;
  readonly elapsed: number;
}

/** The job summary: verdict, picture of the builds over time, table. */
export function summary(results: readonly ServiceResult[], verdict: Verdict): string {
  const { failure } = verdict;
  const parts = [`## ${headline(results, verdict)}\n`];
  if (failure !== undefined) {
    parts.push(...failure.cause.split("\n").map((line) => `${escapeMarkdown(line)}\n`));
    parts.push(`**What to do:** ${escapeMarkdown(failure.remedy)}\n`);
    if (failure.evidence) parts.push(details("Evidence", codeBlock(failure.evidence)));
  }
  parts.push(codeBlock(gantt(results), "mermaid"));
  parts.push(
    table(
      ["Service", "Reference", "Platforms", "Size", "Time", "Steps cached"],
      results.map((result) => row(result, verdict.pushed)),
    ),
  );
  if (results.some(({ uncompared }) => uncompared)) {
    parts.push(
      "Not checked: the builder named no digest, so the registry's could not be compared.\n",
    );
  }
  return parts.join("\n");
}

function headline(
  results: readonly ServiceResult[],
  { pushed, failure, elapsed }: Verdict,
): string {
  const services = `${results.length} service${results.length === 1 ? "" : "s"}`;
  if (failure !== undefined) return `❌ build-push: ${escapeMarkdown(failure.title)}`;
  return pushed
    ? `✅ ${services} built, pushed and proven at the registry in ${seconds(elapsed)}`
    : `✅ ${services} built in ${seconds(elapsed)}; nothing was pushed, as asked`;
}

function gantt(results: readonly ServiceResult[]): string {
  const lines = results.flatMap(({ name, began, built, ended, failure }) => {
    const mark = failure === undefined ? "done, " : "crit, ";
    const build = `${built === undefined ? mark : "done, "}${began}, ${built ?? ended}`;
    const proof =
      built === undefined || built === ended ? [] : [`  ask registry :${mark}${built}, ${ended}`];
    return [`  section ${name}`, `  build and push :${build}`, ...proof];
  });
  return ["gantt", "  dateFormat x", "  axisFormat %H:%M:%S", ...lines].join("\n");
}

function row(
  { name, image, steps, began, ended, failure }: ServiceResult,
  push: boolean,
): string[] {
  const state = failure === undefined && !push ? "built, not pushed" : "❌ not proven";
  return [
    code(name),
    image === undefined ? state : code(image.reference),
    image?.platforms.map(code).join(", ") ?? "",
    image === undefined ? "" : megabytes(image.size),
    seconds(ended - began),
    steps === undefined ? "" : `${steps.cached} of ${steps.total}`,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
