import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { type ImageMap, imageMap } from "./image-map.ts";

/** Images as an action is given them: as a map, as a file that holds one, or not at all. */
interface Given {
  readonly images: ImageMap | undefined;
  readonly imagesFile: string | undefined;
}

/** A map of some thousand services is much smaller. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * The options with the images of their file, where one is named.
 *
 * @param workspace the folder that the file's path is relative to
 * @throws {UserError} when it cannot be read or holds no images, or when both forms are given.
 */
export async function withImagesOfFile<Options extends Given>(
  options: Options,
  workspace: string,
): Promise<Options> {
  const { images, imagesFile } = options;
  if (imagesFile === undefined) return options;
  if (images !== undefined) {
    throw new UserError({
      title: "Two inputs say which images",
      cause: "images and images-file are both given.",
      remedy: "Give one of them; nothing was changed.",
    });
  }
  const path = resolve(workspace, imagesFile);
  return { ...options, images: parseImages(await read(path, imagesFile), imagesFile) };
}

async function read(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const missing = codeOf(error) === "ENOENT";
    throw new UserError(
      {
        title: missing ? "The images file is missing" : "The images file cannot be read",
        cause: missing ? `There is no file ${path}.` : `${shown}: ${describe(error)}.`,
        remedy:
          "Name in images-file what build-push has as its output images-file; in another job, hand the file on as an artifact, or take the output images instead. Nothing was changed.",
      },
      { reason: error },
    );
  }
}

function parseImages(text: string, shown: string): ImageMap {
  if (text.length > MOST_BYTES) throw otherContent(shown, "it is larger than 16 MiB");
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const why = text.trim() === "" ? "it is empty" : `it is no JSON: ${describe(error)}`;
    throw otherContent(shown, why);
  }
  const result = imageMap.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.map(({ path, message }) => [...path, message].join(": "));
    throw otherContent(shown, issues.join("; "));
  }
  if (Object.keys(result.data).length === 0) {
    throw otherContent(shown, "it has no image; the build may have failed, or was only planned");
  }
  return result.data;
}

function otherContent(shown: string, problem: string): UserError {
  return new UserError({
    title: "The images file is not as build-push writes it",
    cause: `${shown}: ${problem}.`,
    remedy:
      "It must be JSON by service, each with repository and digest, and perhaps tag. Nothing was changed.",
  });
}
