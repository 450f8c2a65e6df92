import { access, readdir } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { hiddenBy } from "../content-key/index.ts";
import { nearestName } from "../failure/index.ts";
import type { BakeTarget } from "./bake-target.ts";

/**
 * Looks why a build did not see a file of its context: it is there and a line of an ignore file
 * leaves it out, or it is called something else. Undefined when there is nothing to say.
 *
 * @param path from the root of the context.
 */
export async function whyMissing(
  { context, dockerfile, dockerfileInline }: BakeTarget,
  path: string,
): Promise<string | undefined> {
  const wanted = join(context, path);
  if (!wanted.startsWith(join(context, "/"))) return undefined;
  if (await exists(wanted)) {
    const own = dockerfileInline === undefined ? dockerfile : undefined;
    const line = hiddenBy(context, own, path.replace(/^\//, ""));
    if (line === undefined) return "The file is there, and an ignore file leaves it out.";
    const file = line.file.startsWith(join(context, "/"))
      ? relative(context, line.file)
      : basename(line.file);
    return `The file is there, and line ${line.line} of ${file} leaves it out: ${line.pattern}`;
  }
  const near = nearestName(basename(wanted), await namesIn(dirname(wanted)));
  return near === undefined ? undefined : `Did you mean ${join(dirname(path), near).slice(1)}?`;
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
