import { appendFileSync } from "node:fs";
import * as core from "@actions/core";

/**
 * Has later steps find programs in these folders, before all others and in this order. Does
 * nothing where there is no runner.
 *
 * @throws {Error} of the file system when the runner's file cannot be written.
 */
export function writePath(folders: readonly string[]): void {
  const file = process.env.GITHUB_PATH;
  // Without one the toolkit would print a command that today's runners ignore.
  if (file === undefined || file === "") return;
  // A runner makes the file; the toolkit refuses one that somebody else only named.
  appendFileSync(file, "");
  // What is added last is searched first.
  for (const folder of [...folders].reverse()) core.addPath(folder);
}
