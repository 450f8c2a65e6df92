import { randomBytes } from "node:crypto";
import { readdir, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

const PARTIAL = /^\.seaworthy-[0-9a-f]{16}\.partial$/;
/** A run lasts at most five days on a machine of one's own, and touches its file all the time. */
const OLD_MS = 24 * 3_600_000;

/** A hidden name for a file while it is written, in the folder that it will stay in. */
export function partialBeside(path: string): string {
  return join(dirname(path), `.seaworthy-${randomBytes(8).toString("hex")}.partial`);
}

/** Whether a file is one that a run was writing, or was killed while it wrote. */
export function isPartial(fileName: string): boolean {
  return PARTIAL.test(fileName);
}

/**
 * Removes what killed runs left behind below a folder, with the folders that are empty then.
 * What cannot be removed stays: it does not count, and harms nobody.
 *
 * @returns how many files were removed.
 */
export async function sweepPartials(folder: string, now: number): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let removed = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      removed += await sweepPartials(path, now);
    } else if (isPartial(entry.name) && (await isOld(path, now))) {
      removed += await unlink(path).then(
        () => 1,
        () => 0,
      );
    }
  }
  // Only an empty folder goes, and only where something was swept from it.
  if (removed > 0) await rmdir(folder).catch(() => {});
  return removed;
}

async function isOld(path: string, now: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && now - found.mtimeMs > OLD_MS;
}
