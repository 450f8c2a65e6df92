import type { UserError } from "../../shared/failure/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { Report } from "./report.ts";

const MOST_IN_PICTURE = 12;

/** The job summary: verdict with its cause, picture, table, and what the failed checks were told. */
export function summaryOf(report: Report, failure: UserError | undefined): string {
  const bodies = report.checks.flatMap(({ name, excerpt }) =>
    excerpt ? [details(`Last answer to ${name}`, codeBlock(excerpt))] : [],
  );
  return [
    `## ${verdict(report, failure)}\n`,
    ...(failure === undefined ? [] : causeAndRemedy(failure)),
    picture(report),
    rows(report),
    ...bodies,
    ...limits(report),
  ].join("\n");
}

function verdict(report: Report, failure: UserError | undefined): string {
  const { checks, seconds } = report;
  const failed = checks.filter(({ passed }) => !passed).length;
  const target = escapeMarkdown(report.target);
  const time = `after ${seconds.toFixed(1)} s`;
  const what = checks.length === 1 ? "the check" : `all ${checks.length} checks`;
  if (failure === undefined) return `✅ smoke-test: ${what} of ${target} passed ${time}`;
  if (failed === 0) return `❌ smoke-test of ${target}: ${escapeMarkdown(failure.title)} ${time}`;
  const which = checks.length === 1 ? what : `${failed} of ${checks.length} checks`;
  return `❌ smoke-test: ${which} of ${target} did not pass ${time}`;
}

function causeAndRemedy({ cause, remedy }: UserError): string[] {
  return [
    ...cause.split("\n").map((line) => `${escapeMarkdown(line)}\n`),
    `**What to do:** ${escapeMarkdown(remedy)}\n`,
  ];
}

function rows({ checks }: Report): string {
  return table(
    ["", "Check", "Attempts", "After", "Last answer", "Why not"],
    checks.map((check) => [
      check.passed ? "✅" : "❌",
      code(check.name),
      `${check.attempts}`,
      `${check.seconds.toFixed(1)} s`,
      check.status === null ? "none" : `${check.status} in ${check.latency} ms`,
      check.passed ? "" : check.reasons.map(escapeMarkdown).join("<br>"),
    ]),
  );
}

/** From the runner to the target, and from there to each check. */
function picture({ target, pods, checks }: Report): string {
  const shown = checks.slice(0, MOST_IN_PICTURE);
  const left = checks.length - shown.length;
  const way = pods.length === 0 ? "-->" : `-- ${label(`port-forward to ${pods.join(", ")}`)} -->`;
  const lines = [
    "flowchart LR",
    `  runner([runner]) ${way} target[${label(target)}]`,
    ...shown.map(({ name, passed, status }, index) => {
      const mark = passed ? "✅" : "❌";
      return `  target --> c${index}[${label(`${mark} ${name}: ${status ?? "no answer"}`)}]`;
    }),
    ...(left > 0 ? [`  target --> more[${label(`and ${left} more`)}]`] : []),
  ];
  return codeBlock(lines.join("\n"), "mermaid");
}

/** Text as a quoted label of Mermaid; what could end it becomes a character code. */
function label(text: string): string {
  const safe = text
    .replace(/\p{Cc}+/gu, " ")
    .replace(
      /[^\p{L}\p{N}\p{Extended_Pictographic} ./:,_-]/gu,
      (sign) => `#${sign.codePointAt(0)};`,
    );
  return `"${safe}"`;
}

/** What a reader could believe to be proved, though it is not. */
function limits({ pods, checks }: Report): string[] {
  const cut = checks.filter(({ complete }) => complete === false).map(({ name }) => code(name));
  const ends =
    cut.length === 0
      ? []
      : [`_Not read to its end, being longer than 8 MiB: the body of ${cut.join(", ")}._\n`];
  if (pods.length === 0) return ends;
  return [
    ...ends,
    `_Asked through ${pods.map(code).join(", ")} by port-forward: the Service's own address, its load balancing, Ingress and DNS were not checked, and latency includes the way through the API server._\n`,
  ];
}
