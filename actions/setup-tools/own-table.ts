import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describe, FormatError, UserError } from "../../shared/failure/index.ts";
import { type OwnTable, parseOwnTable } from "../../shared/tools/index.ts";
import type { World } from "../../shared/world/index.ts";

/**
 * The user's own table: the input's text, or the file of the workspace that it names.
 *
 * @throws {UserError} when it cannot be read or is no table.
 */
export async function readOwnTable(
  input: string | undefined,
  environment: World["environment"],
): Promise<OwnTable> {
  if (input === undefined) return {};
  const isContent = /[\n{]/.test(input) || /:\s/.test(input);
  const file = isContent ? undefined : resolve(environment.GITHUB_WORKSPACE || ".", input);
  const text = file === undefined ? input : await textOf(file, input);
  try {
    return parseOwnTable(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UserError({
      title: "The table of your own is wrong",
      cause: `${file === undefined ? "The input table" : input}: ${error.message}.`,
      remedy: "Correct it and run again; nothing was installed. docs/tools.md shows a whole entry.",
    });
  }
}

async function textOf(file: string, input: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(
      {
        title: "The table of your own cannot be read",
        cause: `The input table names the file ${JSON.stringify(input)}: ${describe(error)}.`,
        remedy:
          "Check the repository out in a step before, or correct the path; nothing was installed.",
      },
      { reason: error },
    );
  }
}
