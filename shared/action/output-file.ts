import { appendFileSync } from "node:fs";
import * as core from "@actions/core";

/**
 * Sets outputs. Where there is no runner there is no file to write them to, and nothing is done.
 *
 * @throws {Error} of the file system when the file cannot be written.
 */
export function writeOutputs(outputs: ReadonlyMap<string, string>): void {
  const file = process.env.GITHUB_OUTPUT;
  // Without one the toolkit would print a command that today's runners ignore.
  if (file === undefined || file === "") return;
  // A runner makes the file; the toolkit refuses one that somebody else only named.
  appendFileSync(file, "");
  for (const [name, value] of outputs) core.setOutput(name, value);
}
