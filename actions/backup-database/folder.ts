import { fileURLToPath } from "node:url";
import { UserError } from "../../shared/failure/index.ts";

/**
 * The path of the folder that `source` names, also as `file:///path`.
 *
 * @throws {UserError} where the address is none of a folder.
 */
export function folderIn(source: string): string {
  if (!/^file:/i.test(source)) return source;
  try {
    return fileURLToPath(source);
  } catch {
    throw new UserError({
      title: "The folder to back up is not understood",
      cause: `${JSON.stringify(source)} is no address of a folder.`,
      remedy: "Write it as file:///path, or give the path. Nothing was read yet.",
    });
  }
}
