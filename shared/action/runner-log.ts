import * as core from "@actions/core";
import type { Secrets } from "../secrets/index.ts";
import type { Log } from "../world/index.ts";
import { safeLines } from "./safe-line.ts";

/** The log of a job on a runner: redacted, and unable to forge a workflow command. */
export function runnerLog(secrets: Secrets): Log {
  const printable = (text: string) => safeLines(secrets.redact(text));
  return {
    info: (text) => {
      for (const line of printable(text)) core.info(line);
    },
    debug: (text) => {
      for (const line of printable(text)) core.debug(line);
    },
    warning: (text, title) => {
      const message = printable(text).join("\n");
      core.warning(message, title === undefined ? {} : { title: printable(title).join(" ") });
    },
    group: (title, lines) => {
      core.startGroup(printable(title).join(" "));
      for (const line of lines.flatMap(printable)) core.info(line);
      core.endGroup();
    },
  };
}
