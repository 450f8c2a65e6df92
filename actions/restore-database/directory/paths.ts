import { posix } from "node:path";
import { UserError } from "../../../shared/failure/index.ts";
import { countInWords } from "../../../shared/quantity/index.ts";
import type { Means, Restored } from "../restored.ts";
import { backUpFolder, type FolderRestore, fill, told } from "./fill.ts";
import { requireLeave, type TargetFolder } from "./target.ts";

const { dirname, join } = posix;

/**
 * Restores some members of a folder: proven beside, then exchanged for those that are there. A folder
 * that is named is replaced whole; what is beside the named members stays as it is.
 */
export async function restorePaths(restore: FolderRestore, means: Means): Promise<Restored> {
  const { target, staging, choice } = restore;
  const { options, world, journal } = means;
  const { files, path } = target;
  const there: string[] = [];
  for (const top of choice.tops) {
    await requireWay(target, top.path);
    if ((await files.kindOf(join(path, top.path))) !== "absent") there.push(top.path);
  }
  requireLeave(target, there, options);
  const previousBackup = there.length > 0 ? await backUpFolder(target, there, means) : undefined;
  const filled = await fill(restore, means);
  const words = `${countInWords(choice.tops.length)} members of ${target.words}`;
  const all = { ...told(restore, filled), target: words, previousBackup };
  if (!filled.isSound) return { ...all, isSwitched: false, isTouched: false };
  const had = new Set(there);
  const units = choice.tops.map((top) => ({ path: top.path, had: had.has(top.path), comes: true }));
  world.log.info(`Putting ${words} in their places`);
  await journal.phase("exchange", async () => {
    const made: string[] = [];
    for (const top of choice.tops) made.push(...(await files.makeAround(join(path, top.path))));
    await staging.exchange({ form: "swap", root: path, units, made });
  });
  return { ...all, isSwitched: true, isTouched: true };
}

/**
 * Holds that all folders around a member are folders of the target: through a link one would write
 * elsewhere.
 */
async function requireWay({ files, path, words }: TargetFolder, member: string): Promise<void> {
  for (let at = dirname(member); at !== "."; at = dirname(at)) {
    const kind = await files.kindOf(join(path, at));
    if (kind === "folder" || kind === "absent") continue;
    throw new UserError({
      title: "A member cannot be restored where it was",
      cause: `${member} was in the folder ${at}, and ${at} in ${words} is ${kind === "link" ? "a link, which may lead elsewhere" : "no folder"} now.`,
      remedy: `Restore ${at} itself, by naming it in paths, or move away what is there. Nothing was changed.`,
    });
  }
}
