import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";

/**
 * The folder of the git repository that is built: the one that the folder lies in, but not above
 * the workspace; else the only one that is checked out into a folder of the workspace.
 */
export function checkoutOf(workspace: string, folder: string): string | undefined {
  const top = resolve(workspace);
  let here = resolve(top, folder);
  while (here === top || here.startsWith(top + sep)) {
    if (isRepository(here)) return here;
    here = dirname(here);
  }
  const inner = foldersOf(top).filter(isRepository);
  return inner.length === 1 ? inner[0] : undefined;
}

/** In a working tree of its own `.git` is a file. */
function isRepository(folder: string): boolean {
  return existsSync(join(folder, ".git"));
}

function foldersOf(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((each) => each.isDirectory()).map(({ name }) => join(folder, name));
  } catch {
    // What cannot be listed holds nothing that could be built; that is said where it is looked for.
    return [];
  }
}
