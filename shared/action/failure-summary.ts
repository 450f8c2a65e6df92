import { describe, stackOf, UserError } from "../failure/index.ts";
import { codeBlock, details, escapeMarkdown } from "../report/index.ts";
import type { Outcome } from "./outcome.ts";

/**
 * The job summary of an outcome. That of a failure always tells its cause and what to do: where
 * the use case's own Markdown does not, it is appended; where there is none, it is all there is.
 */
export function summaryOf(action: string, { summary, failure }: Outcome): string {
  if (failure === undefined) return summary;
  if (summary.trim() === "") return failureSummary(action, failure);
  const [firstLine = ""] = failure.cause.split("\n");
  const tells = [firstLine, escapeMarkdown(firstLine)].some((text) => summary.includes(text));
  return tells
    ? summary
    : `${summary.trimEnd()}\n\n${failureSection("###", failure.title, failure)}`;
}

function failureSummary(action: string, failure: UserError): string {
  return failureSection("##", `${action}: ${failure.title}`, failure);
}

function failureSection(heading: string, title: string, failure: UserError): string {
  const parts = [
    `${heading} ❌ ${escapeMarkdown(title)}\n`,
    ...failure.cause.split("\n").map((line) => `${escapeMarkdown(line.trim())}\n`),
    `**What to do:** ${escapeMarkdown(failure.remedy)}\n`,
  ];
  if (failure.evidence !== undefined) parts.push(details("Evidence", codeBlock(failure.evidence)));
  return parts.join("\n");
}

const LONGEST_DESCRIPTION = 2_000;

/** An error that is ours, worded so that the user can report it. */
export function bugReport(thrown: unknown, action: string): UserError {
  // Set by the runner to the owner/name that the `uses:` line named.
  const { GITHUB_ACTION_REPOSITORY: repository, GITHUB_SERVER_URL: server } = process.env;
  const where = repository
    ? `at ${server || "https://github.com"}/${repository}/issues`
    : "to its maintainers";
  const described = describe(thrown);
  const shown =
    described.length > LONGEST_DESCRIPTION
      ? `${described.slice(0, LONGEST_DESCRIPTION)}…`
      : described;
  return new UserError({
    title: `A bug in ${action}`,
    cause: `${action} met an error that it does not know: ${shown.replace(/\.$/, "")}.`,
    remedy: `Please report it ${where} with the stack trace from the log.`,
    evidence: `${stackOf(thrown)}\nNode.js ${process.version} on ${process.platform} ${process.arch}`,
  });
}
