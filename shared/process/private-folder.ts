import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, UserError } from "../failure/index.ts";
import { leash } from "./leash.ts";

/** A folder that nobody else can look into. It goes when it is disposed of, and with this process. */
export interface PrivateFolder extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes a private folder. Whoever wants it for as long as this process lives need not dispose of it.
 *
 * @param prefix what its name begins with, so that people see whose it is: `seaworthy-dump-`.
 * @param within the folder that it is made in; the system's for temporary files when left out or empty.
 * @throws {UserError} where none can be made there.
 */
export async function privateFolder(prefix: string, within?: string): Promise<PrivateFolder> {
  const parent = within || tmpdir();
  const path = await mkdtemp(join(parent, prefix)).catch((error: unknown) => {
    throw new UserError(
      {
        title: "No folder for temporary files",
        cause: `A folder cannot be made in ${parent}: ${describe(error)}.`,
        remedy: "Let RUNNER_TEMP, or TMPDIR, be a folder that the runner may write to, with room.",
      },
      { reason: error },
    );
  });
  const watched = leash({ folder: path });
  return {
    path,
    async [Symbol.asyncDispose]() {
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
      // Not before it is gone: should that fail, the watcher tries again.
      watched[Symbol.dispose]();
    },
  };
}
