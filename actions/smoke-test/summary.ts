import type { UserError } from "../../shared/failure/index.ts";
import { milliseconds } from "../../shared/probe/index.ts";
import { code, codeBlock, details, escapeMarkdown, table } from "../../shared/report/index.ts";
import type { CheckReport, Report } from "./report.ts";
import { timeline } from "./timeline.ts";

/** The job summary: verdict with its cause, picture, table, and what the failed checks were told. */
export function summaryOf(
  report: Report,
  failure: UserError | undefined,
  { insecure }: { readonly insecure: boolean },
): string {
  const bodies = report.checks.flatMap(({ name, excerpt }) =>
    excerpt ? [details(`Last answer to ${name}`, codeBlock(excerpt))] : [],
  );
  return [
    `## ${verdict(report, failure)}\n`,
    ...(failure === undefined ? [] : causeAndRemedy(failure)),
    timeline(report),
    rows(report),
    ...latencies(report),
    ...proofs(report),
    ...bodies,
    ...limits(report, insecure),
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
  const several = new Set(checks.map(({ target }) => target)).size > 1;
  const head = ["", "Check", "Attempts", "After", "Last answer", "By", "Why not"];
  return table(
    several ? head.toSpliced(2, 0, "Of") : head,
    checks.map((check) => {
      const cells = [
        check.passed ? "✅" : "❌",
        code(check.name),
        `${check.attempts}`,
        `${check.seconds.toFixed(1)} s`,
        answerOf(check),
        byWhom(check),
        check.passed ? "" : check.reasons.map(escapeMarkdown).join("<br>"),
      ];
      return several ? cells.toSpliced(2, 0, code(check.target)) : cells;
    }),
  );
}

function answerOf({ answer, latency, note }: CheckReport): string {
  if (answer === null) return "none";
  const how = note === null ? "" : `, ${note}`;
  return escapeMarkdown(`${answer} in ${milliseconds(latency ?? 0)}${how}`);
}

/** Which versions answered, by their own words; else which pods. */
function byWhom({ pods, versions }: CheckReport): string {
  const told = Object.entries(versions).map(([version, count]) => `${code(version)} (${count})`);
  return (told.length > 0 ? told : pods.map(code)).join("<br>");
}

function latencies({ checks }: Report): string[] {
  const measured = checks.flatMap(({ name, latencies: figures }) => {
    if (figures === null) return [];
    const { requests, min, median, p95, max } = figures;
    return [[code(name), `${requests}`, ...[min, median, p95, max].map(milliseconds)]];
  });
  if (measured.length === 0) return [];
  return [table(["Latency of", "Requests", "Least", "Median", "p95", "Most"], measured)];
}

const MARKS = { proved: "✅", wrong: "❌", "not-checked": "not in the digest map" } as const;

/** Which images the pods run that answered. */
function proofs({ proofs: all }: Report): string[] {
  if (all.length === 0) return [];
  const lines = all.flatMap(({ pod, verdict: found, images }) =>
    images.map(({ container, repository, digest }) => [
      MARKS[found],
      code(pod),
      code(container),
      code(`${repository}@${digest ?? "(not told)"}`),
    ]),
  );
  return [table(["", "Pod that answered", "Container", "Runs"], lines)];
}

/** What a reader could believe to be proved, though it is not. */
function limits({ checks, pods }: Report, insecure: boolean): string[] {
  const cut = checks.filter(({ complete }) => complete === false).map(({ name }) => code(name));
  const forwarded = checks.some(({ type, pods: by, versions }) => {
    return type !== "exec" && by.length > 0 && Object.keys(versions).length === 0;
  });
  return [
    ...(cut.length === 0
      ? []
      : [`_Not read to its end, being longer than 8 MiB: the body of ${cut.join(", ")}._\n`]),
    ...(forwarded
      ? [
          `_Asked through ${pods.map(code).join(", ")} by port-forward: the Service's own address, its load balancing, Ingress and DNS were not checked, and latency includes the way through the API server._\n`,
        ]
      : []),
    ...(insecure ? ["_The certificates of servers were not verified: `insecure` is set._\n"] : []),
  ];
}
