import { realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { codeOf, describe } from "../failure/index.ts";

/** A file of definitions that is there. */
export interface DefinitionFile {
  /** Absolute, free of links. */
  readonly path: string;
  /** Relative to the workspace. */
  readonly shown: string;
}

/**
 * Finds the files of definitions, and says what is wrong with each that is none: an address, a
 * file that is not there, or one outside of the workspace.
 *
 * @param directory that their names are relative to; both folders absolute.
 */
export async function definitionFiles(
  names: readonly string[],
  directory: string,
  workspace: string,
): Promise<{ readonly files: readonly DefinitionFile[]; readonly problems: readonly string[] }> {
  const found = await Promise.all(names.map((name) => find(name, directory, workspace)));
  return {
    files: found.flatMap((each) => (typeof each === "string" ? [] : [each])),
    problems: found.flatMap((each) => (typeof each === "string" ? [each] : [])),
  };
}

async function find(
  name: string,
  directory: string,
  workspace: string,
): Promise<DefinitionFile | string> {
  const quoted = JSON.stringify(name);
  if (/^[a-z][a-z0-9+-]*:\/\/|^git@/i.test(name)) {
    return `${quoted} is an address; check it out and name its file`;
  }
  if (name === "-") return "a step has no standard input; name a file";
  const wanted = isAbsolute(name) ? name : resolve(directory, name);
  const root = await realpath(workspace);
  try {
    const path = await realpath(wanted);
    if (path !== root && !path.startsWith(root + sep)) {
      return `${quoted} is outside the workspace${path === wanted ? "" : `, a link to ${path}`}`;
    }
    const shown = relative(root, path) || ".";
    if (!(await stat(path)).isFile()) return `${JSON.stringify(shown)} is no file`;
    return { path, shown };
  } catch (error) {
    if (!/^(ENOENT|ENOTDIR)$/.test(codeOf(error) ?? "")) return `${quoted}: ${describe(error)}`;
    return `there is no file ${JSON.stringify(relative(root, wanted) || wanted)} in the workspace`;
  }
}
