import { appendFileSync } from "node:fs";

/** GitHub refuses a step's summary above 1 MiB as a whole. */
const LIMIT_BYTES = 1024 * 1024;
const NOTE = "\n\n_The rest is left out: GitHub shows 1 MiB of a step's summary._\n";
/** Room for the note and for closing what was open at the cut. */
const RESERVE_BYTES = 1024;

/**
 * Appends Markdown to the job summary; does nothing where there is no runner.
 *
 * @throws {Error} of the file system when the file cannot be written.
 */
export function writeSummary(markdown: string): void {
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file === undefined || file === "" || markdown === "") return;
  appendFileSync(file, withinLimit(markdown));
}

/** At most 1 MiB of UTF-8, cut at a line's end, with what the cut left open closed again. */
export function withinLimit(markdown: string): string {
  const text = markdown.endsWith("\n") ? markdown : `${markdown}\n`;
  if (Buffer.byteLength(text) <= LIMIT_BYTES) return text;
  const head = firstBytes(text, LIMIT_BYTES - RESERVE_BYTES);
  const kept = head.slice(0, head.lastIndexOf("\n") + 1) || head;
  return `${kept}${closingOf(kept)}${NOTE}`;
}

function firstBytes(text: string, limit: number): string {
  // A character that the cut split comes out as one or more replacement characters.
  return Buffer.from(text)
    .subarray(0, limit)
    .toString()
    .replace(/\ufffd+$/, "");
}

/** What ends the fenced block and the folded blocks that the text leaves open. */
function closingOf(markdown: string): string {
  let fence: string | undefined;
  let folded = 0;
  for (const line of markdown.split("\n")) {
    const ticks = /^`{3,}/.exec(line)?.[0];
    if (fence !== undefined) {
      if (ticks === line.trimEnd() && ticks.length >= fence.length) fence = undefined;
    } else if (ticks !== undefined) {
      fence = ticks;
    } else {
      folded += line.split("<details>").length - line.split("</details>").length;
    }
  }
  const closed = fence === undefined ? "" : `\n${fence.slice(0, RESERVE_BYTES / 4)}\n`;
  return `${closed}${"\n</details>\n".repeat(Math.min(Math.max(folded, 0), 20))}`;
}
