import { readFileSync } from "node:fs";
import { codeOf } from "../failure/index.ts";
import { findInside } from "./find-inside.ts";

export interface IgnoreFile {
  readonly file: string;
  readonly text: string;
}

/** The ignore file beside a Dockerfile, which has precedence, even when it is empty. */
export function ignoreFileOfDockerfile(dockerfile: string): IgnoreFile | undefined {
  return readIgnoreFile(`${dockerfile}.dockerignore`);
}

/** A folder's own `.dockerignore`, as BuildKit finds it: links lead nowhere outside. */
export function ignoreFileOf(root: string): IgnoreFile | undefined {
  const file = findInside(root, ".dockerignore");
  return file === undefined ? undefined : readIgnoreFile(file);
}

/** To BuildKit one that is a folder is none. */
function readIgnoreFile(file: string): IgnoreFile | undefined {
  try {
    return { file, text: readFileSync(file, "utf8") };
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "EISDIR" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
