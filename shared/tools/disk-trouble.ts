import { codeOf, describe, UserError } from "../failure/index.ts";

/** A file system that does not do what is asked, in words; anything else as it is. */
export function diskError(error: unknown, what: string, folder: string): unknown {
  const code = codeOf(error) ?? "";
  if (error instanceof UserError || !/^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EIO|EMFILE)$/.test(code))
    return error;
  const full = code === "ENOSPC" || code === "EDQUOT";
  return new UserError(
    {
      title: full ? `There is no room for ${what}` : `${what} could not be written`,
      cause: `${folder}: ${describe(error)}.${full ? " What was written of it is removed again." : ""}`,
      remedy: full
        ? "Free space on the disk of the runner's tool cache (RUNNER_TOOL_CACHE), or point that at a larger one."
        : "Give the runner's account the right to write there, or point RUNNER_TOOL_CACHE at a folder of its own.",
    },
    { reason: error },
  );
}

/** Whether nothing can be written there at all, however little. */
export function isReadOnly(error: unknown): boolean {
  return /^(EROFS|EACCES|EPERM|ENOTDIR)$/.test(codeOf(error) ?? "");
}
