import { appendFile } from "node:fs/promises";
import * as core from "@actions/core";
import { describe } from "../failure/index.ts";

/** GitHub refuses a step's summary above 1 MiB as a whole. */
const LIMIT_BYTES = 1024 * 1024;
const NOTE = "\n\n_The rest is left out: GitHub shows 1 MiB of a step's summary._\n";

/** Appends Markdown to the job summary. A runner without summaries loses nothing else. */
export async function writeSummary(markdown: string): Promise<void> {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file === undefined || file === "" || markdown === "") return;
  try {
    await appendFile(file, withinLimit(markdown));
  } catch (error) {
    core.warning(`The job summary could not be written: ${describe(error)}`);
  }
}

/** At most 1 MiB of UTF-8, cut at a line's end. */
export function withinLimit(markdown: string): string {
  const text = markdown.endsWith("\n") ? markdown : `${markdown}\n`;
  const bytes = Buffer.from(text);
  if (bytes.length <= LIMIT_BYTES) return text;
  const room = bytes.subarray(0, LIMIT_BYTES - Buffer.byteLength(NOTE));
  return `${room.subarray(0, room.lastIndexOf("\n")).toString()}${NOTE}`;
}
