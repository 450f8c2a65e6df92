import { randomUUID } from "node:crypto";
import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { diskError } from "./disk-trouble.ts";
import { digestAt } from "./unpack.ts";

/**
 * Puts a program where docker finds it as a plugin of its own. What is there already is replaced in
 * one step. Gives back the path, and whether there was another one before.
 *
 * @throws {UserError} when the folder cannot be written to.
 */
export async function putPlugin(
  program: string,
  name: string,
  folder: string,
): Promise<{ readonly path: string; readonly replaced: boolean }> {
  const path = join(folder, name);
  const [before, now] = await Promise.all([digestAt(path), digestAt(program)]);
  if (before === now) return { path, replaced: false };
  const beside = join(folder, `.${name}-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await copyFile(program, beside);
    await chmod(beside, 0o755);
    await rename(beside, path);
  } catch (error) {
    throw diskError(error, `docker's plugin ${name}`, folder);
  } finally {
    await rm(beside, { force: true });
  }
  return { path, replaced: before !== undefined };
}
