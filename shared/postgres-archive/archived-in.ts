import { UserError } from "../failure/index.ts";
import type { Storage } from "../storage/index.ts";
import type { WalFile } from "./wal-archive.ts";

/**
 * The files of a folder of a storage, as an archive of WAL.
 *
 * @param folder relative to the storage; `.` for all of it.
 * @throws {UserError} where it has no files: its name is wrong, or nothing was archived.
 */
export async function archivedIn(
  storage: Storage,
  folder: string,
  signal: AbortSignal,
): Promise<readonly WalFile[]> {
  const prefix =
    folder === "." || folder === "" ? "" : `${folder.replace(/^\.\//, "").replace(/\/+$/, "")}/`;
  const files: WalFile[] = [];
  for await (const { name, bytes, modified } of storage.list(prefix, signal))
    files.push({
      ...{ name, bytes, modified },
      open: (aborted) => storage.read(name, { signal: aborted }),
    });
  if (files.length > 0) return files;
  throw new UserError({
    title: "There is no archived WAL",
    cause: `The folder ${folder} of ${storage.place} has no files.`,
    remedy: "Check `wal`, which is relative to `storage`, and that archive_command writes there.",
  });
}
