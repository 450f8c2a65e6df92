import type { Means, Restored } from "../restored.ts";
import { backUpFolder, type FolderRestore, fill, told } from "./fill.ts";
import { contentsOf, isContent, requireLeave } from "./target.ts";

/**
 * Restores a folder within the real one, and exchanges their members when all are proven: for
 * folders that cannot be renamed. The former members go then; their backup leads back.
 */
export async function restoreInPlace(restore: FolderRestore, means: Means): Promise<Restored> {
  const { target, staging } = restore;
  const { options, world, journal } = means;
  const { files, path } = target;
  const contents = await contentsOf(target);
  requireLeave(target, contents, options);
  const previousBackup =
    contents.length > 0 ? await backUpFolder(target, undefined, means) : undefined;
  const filled = await fill(restore, means);
  if (!filled.isSound) {
    return { ...told(restore, filled), previousBackup, isSwitched: false, isTouched: false };
  }
  const [out, fresh] = [new Set(await contentsOf(target)), await files.names(staging.fresh)];
  const comes = new Set(fresh.filter(isContent));
  const units = [...new Set([...out, ...comes])].map((name) => ({
    ...{ path: name, had: out.has(name), comes: comes.has(name) },
  }));
  world.log.info(`Exchanging ${units.length} members of ${target.words}`);
  await journal.phase("exchange", async () => {
    await staging.exchange({ form: "swap", root: path, units, made: [] });
    if (filled.hasRoot) await files.giveTraits(path, staging.fresh);
  });
  return { ...told(restore, filled), previousBackup, isSwitched: true, isTouched: true };
}
