import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

const MOST_LINKS = 40;

/**
 * Where a path of a folder leads when symbolic links are followed as if the folder were the root of
 * everything, which is what BuildKit does; undefined when there is nothing.
 */
export function findInside(root: string, path: string): string | undefined {
  const ahead = path.split("/").reverse();
  const done: string[] = [];
  for (let links = 0; ahead.length > 0; ) {
    const part = ahead.pop() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = linkTarget(join(root, ...done, part));
    if (target === undefined) return undefined;
    if (target === "") {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (target.startsWith("/")) done.length = 0;
    ahead.push(...target.split("/").reverse());
  }
  return join(root, ...done);
}

/** The text of a symbolic link; empty for anything else, undefined where there is nothing. */
function linkTarget(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  return stats.isSymbolicLink() ? readlinkSync(path) : "";
}
