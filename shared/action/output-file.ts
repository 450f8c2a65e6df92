import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

/**
 * Appends outputs to the file that the runner reads them from. Each value stands between two lines
 * with a random mark, so that no value can end early or begin another output. Where there is no
 * runner there is no file, and nothing is done.
 *
 * @throws {Error} of the file system when the file cannot be written.
 */
export function writeOutputs(outputs: ReadonlyMap<string, string>): void {
  const file = process.env.GITHUB_OUTPUT;
  if (file === undefined || file === "") return;
  const mark = `output-${randomUUID()}`;
  const entries = [...outputs].map(([name, value]) => `${name}<<${mark}\n${value}\n${mark}\n`);
  appendFileSync(file, entries.join(""));
}
