import type { StoredBackup } from "../../../shared/backup/index.ts";
import type {
  Choice,
  DirectoryFingerprint,
  RestoredMembers,
} from "../../../shared/directory/index.ts";
import { backUpBefore } from "../backup-before.ts";
import type { Means } from "../restored.ts";
import type { Staging } from "./staging.ts";
import { isContent, type TargetFolder } from "./target.ts";

/** A restore of a folder that has begun. */
export interface FolderRestore {
  readonly backup: StoredBackup;
  readonly fingerprint: DirectoryFingerprint;
  readonly choice: Choice;
  readonly target: TargetFolder;
  readonly staging: Staging;
}

/** Restores into the staging folder, and proves it there. */
export async function fill(
  { backup, fingerprint, choice, target, staging }: FolderRestore,
  { options, world, journal }: Means,
): Promise<RestoredMembers & { readonly seconds: number }> {
  const { files, words } = target;
  const began = world.clock.now();
  world.log.info(`Restoring ${words} into ${staging.fresh}`);
  const restored = await journal.phase("restore", () =>
    files.fill(backup, fingerprint, { folder: staging.fresh, choice, owners: options.owners }),
  );
  if (restored.isSound) await journal.phase("flush", () => files.flush(staging.fresh));
  return { ...restored, seconds: (world.clock.now() - began) / 1_000 };
}

/** Backs up the folder, or some of its members, where that is wanted. */
export async function backUpFolder(
  { files, path }: TargetFolder,
  members: readonly string[] | undefined,
  means: Means,
): Promise<string | undefined> {
  const names = members === undefined ? await files.names(path) : [];
  // All of it has no names, unless something of it is not its own.
  const only = names.every(isContent) ? members : names.filter(isContent);
  const source = files.source(path, only);
  return await means.journal.phase("back up before", () => backUpBefore(source, means));
}

/** What came of it, as far as that is the same for every method. */
export function told(
  { target, fingerprint }: FolderRestore,
  { findings, files, expected, unknown, seconds, isSound }: Awaited<ReturnType<typeof fill>>,
) {
  const item = { name: fingerprint.root, expected: expected.files, found: files };
  return {
    ...{ target: target.words, findings, unit: "files", unknown, restoreSeconds: seconds },
    items: [{ ...item, same: isSound, bytes: expected.bytes }],
    previousDatabase: undefined,
  };
}
