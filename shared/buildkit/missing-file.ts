import { access, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { nearestName } from "../failure/index.ts";

/** The folder of a context and the Dockerfile that copies from it, both absolute. */
export interface CopyGround {
  readonly context: string;
  readonly dockerfile: string;
}

/**
 * Looks why a build did not see a file of its context: it is there and an ignore file leaves it
 * out, or it is called something else. Undefined when there is nothing to say.
 */
export async function whyMissing(ground: CopyGround, path: string): Promise<string | undefined> {
  const { context, dockerfile } = ground;
  const wanted = join(context, path);
  if (!wanted.startsWith(join(context, "/"))) return undefined;
  if (await exists(wanted)) {
    const own = `${dockerfile}.dockerignore`;
    const name = (await exists(own)) ? basename(own) : ".dockerignore";
    return `The file is there, and ${name} leaves it out.`;
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
