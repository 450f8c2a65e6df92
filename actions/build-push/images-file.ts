import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { describe, UserError } from "../../shared/failure/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { ImageOutput } from "./images.ts";

/**
 * Writes the images as JSON for the actions that deploy them; the file is there whole or not at all.
 *
 * @returns the file's path: as asked for, else in the runner's folder for temporary files.
 * @throws {UserError} when it cannot be written.
 */
export async function writeImagesFile(
  images: Readonly<Record<string, ImageOutput>>,
  { imagesFile }: { readonly imagesFile: string | undefined },
  { environment }: Pick<World, "environment">,
): Promise<string> {
  const workspace = environment.GITHUB_WORKSPACE || process.cwd();
  const file =
    imagesFile === undefined
      ? join(environment.RUNNER_TEMP || tmpdir(), `images-${randomUUID()}.json`)
      : resolve(workspace, imagesFile);
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.part`, `${JSON.stringify(images, undefined, 2)}\n`);
    await rename(`${file}.part`, file);
  } catch (error) {
    throw new UserError(
      {
        title: "The file of images cannot be written",
        cause: `${file}: ${describe(error)}.`,
        remedy: "Name a file in the input images-file that this step may write.",
      },
      { reason: error },
    );
  }
  return file;
}
