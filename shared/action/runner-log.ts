import type { Secrets } from "../secrets/index.ts";
import type { Log } from "../world/index.ts";
import { plainLines, unmarked } from "./safe-line.ts";
import { issueCommand, printLine } from "./workflow-command.ts";

/** The log of a job on a runner: redacted, and unable to forge a workflow command. */
export function runnerLog(secrets: Secrets): Log {
  const lines = (text: string) => printableLines(text, secrets);
  return {
    info: (text) => {
      for (const line of lines(text)) printLine(line);
    },
    debug: (text) => {
      for (const line of lines(text)) issueCommand("debug", line);
    },
    warning: (text, title) => {
      const properties = title === undefined ? {} : { title: lines(title).join(" ") };
      issueCommand("warning", lines(text).join("\n"), properties);
    },
    group: (title, texts) => {
      issueCommand("group", lines(title).join(" "));
      for (const line of texts.flatMap(lines)) printLine(line);
      issueCommand("endgroup", "");
    },
  };
}

/**
 * The lines of a text, fit for the log. Redacted before they are taken apart, for a secret may
 * span lines, and after, for control characters may have stood within one.
 */
export function printableLines(text: string, secrets: Secrets): string[] {
  return plainLines(secrets.redact(text)).map((line) => unmarked(secrets.redact(line)));
}
