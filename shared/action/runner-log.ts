import * as core from "@actions/core";
import type { Secrets } from "../secrets/index.ts";
import type { Log } from "../world/index.ts";
import { plainLines, unmarked } from "./safe-line.ts";

/** The log of a job on a runner: redacted, and unable to forge a workflow command. */
export function runnerLog(secrets: Secrets): Log {
  const lines = (text: string) => printableLines(text, secrets);
  return {
    info: (text) => {
      for (const line of lines(text)) core.info(line);
    },
    debug: (text) => {
      for (const line of lines(text)) core.debug(line);
    },
    warning: (text, title) => {
      const properties = title === undefined ? {} : { title: lines(title).join(" ") };
      core.warning(lines(text).join("\n"), properties);
    },
    group: (title, texts) => {
      core.startGroup(lines(title).join(" "));
      for (const line of texts.flatMap(lines)) core.info(line);
      core.endGroup();
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
