import { posix } from "node:path";
import type { StoredBackup } from "../../../shared/backup/index.ts";
import { choose, directoryFingerprint } from "../../../shared/directory/index.ts";
import { codeOf, describe, UserError } from "../../../shared/failure/index.ts";
import type { Options } from "../inputs.ts";
import type { Means, Restored } from "../restored.ts";
import { restoreBySwitch } from "./by-switch.ts";
import type { Files } from "./files.ts";
import { restoreInPlace } from "./in-place.ts";
import { LocalFiles } from "./local-files.ts";
import { restorePaths } from "./paths.ts";
import { openStaging, type Staging } from "./staging.ts";
import { findTarget, type TargetFolder } from "./target.ts";

const { join } = posix;

/**
 * Restores a backup of a folder into a real one, here or in a pod: beside it on the same file
 * system, held to the listing member by member, and only then in its place. Until that moment the
 * folder is as it was, whatever happens; what an interrupted run leaves, the next one puts right.
 */
export async function restoreDirectory(backup: StoredBackup, means: Means): Promise<Restored> {
  const { options, world, journal } = means;
  const fingerprint = directoryFingerprint(await backup.fingerprint(world.signal));
  const files = await journal.phase("connect", () => filesOf(options, means));
  try {
    const target = await findTarget(files, fingerprint.root, means);
    const choice = await choose(backup, fingerprint, options.paths, world.signal);
    warnOfExclusions(backup, means);
    return await within(target, means, async (staging) => {
      const restore = { backup, fingerprint, choice, target, staging };
      if (options.paths !== undefined) return await restorePaths(restore, means);
      if (options.method === "in-place") return await restoreInPlace(restore, means);
      return await restoreBySwitch(restore, means);
    });
  } catch (error) {
    throw explained(error, options);
  }
}

async function filesOf(options: Options, { world }: Means): Promise<Files> {
  if (options.pod === undefined) return new LocalFiles(world);
  const { openPodFiles } = await import("./pod-files.ts");
  return await openPodFiles(options, world);
}

/** Holds the place where the restore works; what was made around it goes again where it fails. */
async function within(
  target: TargetFolder,
  { options, world }: Means,
  work: (staging: Staging) => Promise<Restored>,
): Promise<Restored> {
  const { files, path } = target;
  const where = placeOf(target, options);
  const made = await files.makeAround(where === "inside" ? join(path, "member") : path);
  let restored: Restored | undefined;
  try {
    await using staging = await openStaging(files, path, where, world);
    restored = await work(staging);
    return restored;
  } finally {
    if (restored?.isTouched !== true) {
      for (const each of made.toReversed()) await files.removeEmpty(each).catch(() => {});
    }
  }
}

/** @throws {UserError} where the method cannot be had. */
function placeOf({ words, isMount }: TargetFolder, { method, paths }: Options) {
  if (method === "in-place") return "inside";
  if (!isMount) return "beside";
  if (paths !== undefined) return "inside";
  throw new UserError({
    title: "The folder cannot be renamed",
    cause: `The ${words} is a file system of its own, mounted there, and so cannot change names with another folder.`,
    remedy:
      "Give method: in-place, which exchanges its members one by one, and stop what uses them meanwhile. Nothing was changed.",
  });
}

/** What the backup left out is gone from the folder when it takes its place. */
function warnOfExclusions({ manifest }: StoredBackup, { world, options }: Means): void {
  if (manifest.excluded.length === 0 || options.paths !== undefined) return;
  world.log.warning(
    `The backup was made without ${manifest.excluded.slice(0, 10).join(", ")}: the restored folder does not have what that leaves out.`,
    "The backup is not of everything",
  );
}

/** A file system's refusal, for people. */
function explained(error: unknown, { target, pod }: Options): unknown {
  const code = codeOf(error) ?? "";
  if (error instanceof UserError || !/^E[A-Z0-9]+$/.test(code)) return error;
  const isName = code === "EBUSY" || code === "EXDEV";
  const isRight = code === "EACCES" || code === "EPERM" || code === "EROFS";
  return new UserError(
    {
      title: "The folder could not be restored",
      cause: `${target}: ${describe(error)}.`,
      remedy: `${
        isName
          ? "Something is mounted there, or within: give method: in-place, or restore what is mounted by itself."
          : isRight
            ? `Let the account of this job write ${pod === undefined ? "the folder and the one that it is in (or give method: in-place, which needs the folder only)" : "there"}.`
            : "See to the file system, and run again."
      } What was there before is there.`,
    },
    { reason: error },
  );
}
