import { readFile } from "node:fs/promises";
import { codeOf, describe, UserError } from "../failure/index.ts";

/**
 * The content of a file that a variable names.
 *
 * @throws {UserError} when a file that a variable names cannot be read.
 */
export async function readNamed(file: string, variable: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    throw new UserError(
      {
        title: "A file with credentials cannot be read",
        cause: `${variable} names ${file}: ${describe(error)}.`,
        remedy:
          codeOf(error) === "ENOENT"
            ? "Check the path; an earlier step may have to write the file."
            : "Let the runner's user read it.",
      },
      { reason: error },
    );
  });
}
