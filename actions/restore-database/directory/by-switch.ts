import { describe } from "../../../shared/failure/index.ts";
import type { Means, Restored } from "../restored.ts";
import { backUpFolder, type FolderRestore, fill, told } from "./fill.ts";
import { contentsOf, requireLeave } from "./target.ts";

/** Restores a folder beside the real one, and lets the two change names when it is proven. */
export async function restoreBySwitch(restore: FolderRestore, means: Means): Promise<Restored> {
  const { target, staging } = restore;
  const { options, world, journal } = means;
  const { files, path } = target;
  const contents = await contentsOf(target);
  requireLeave(target, contents, options);
  const occupied = contents.length > 0;
  const previousBackup = occupied ? await backUpFolder(target, undefined, means) : undefined;
  const filled = await fill(restore, means);
  if (!filled.isSound) {
    return { ...told(restore, filled), previousBackup, isSwitched: false, isTouched: false };
  }
  if (!filled.hasRoot && target.isThere) await files.giveTraits(staging.fresh, path);
  const former = target.isThere ? `${path}.before-${momentOf(world.clock.now())}` : undefined;
  await journal.phase("switch", () => staging.exchange({ form: "switch", target: path, former }));
  const drops = former !== undefined && (!options.keepPrevious || !occupied);
  const isGone = drops && (await dropped(former));
  const previousFolder = isGone ? undefined : former;
  return {
    ...told(restore, filled),
    ...{ previousBackup, previousFolder, isSwitched: true, isTouched: true },
  };

  /** The restore is done: what cannot be removed now is told, and no failure. */
  async function dropped(folder: string): Promise<boolean> {
    try {
      await files.remove(folder, world.signal);
      return true;
    } catch (error) {
      world.log.warning(
        `The former folder, ${folder}${files.where} now, could not be removed: ${describe(error)}`,
      );
      return false;
    }
  }
}

/** `20261122T035500Z` */
function momentOf(now: number): string {
  return new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
}
