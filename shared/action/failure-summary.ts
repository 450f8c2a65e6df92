import { describe, UserError } from "../failure/index.ts";
import { codeBlock, details, escapeMarkdown } from "../report/index.ts";

/** The job summary of a failure whose use case left none of its own. */
export function failureSummary(action: string, failure: UserError): string {
  const parts = [
    `## ❌ ${escapeMarkdown(action)}: ${escapeMarkdown(failure.title)}\n`,
    ...failure.cause.split("\n").map((line) => `${escapeMarkdown(line)}\n`),
    `**What to do:** ${escapeMarkdown(failure.remedy)}\n`,
  ];
  if (failure.evidence !== undefined) parts.push(details("Evidence", codeBlock(failure.evidence)));
  return parts.join("\n");
}

/** An error that is ours, worded so that the user can report it. */
export function bugReport(thrown: unknown, action: string): UserError {
  const stack =
    thrown instanceof Error && thrown.stack !== undefined ? thrown.stack : describe(thrown);
  // Set by the runner to the owner/name that the `uses:` line named.
  const repository = process.env.GITHUB_ACTION_REPOSITORY;
  const where = repository
    ? `at ${process.env.GITHUB_SERVER_URL}/${repository}/issues`
    : "to its maintainers";
  return new UserError(
    {
      title: `A bug in ${action}`,
      cause: `${action} met an error that it does not know: ${describe(thrown)}.`,
      remedy: `Please report it ${where} with the stack trace from the log.`,
      evidence: stack,
    },
    { reason: thrown },
  );
}
