import type { Outcome } from "../../shared/action/index.ts";
import { storageSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { openReportFolder } from "../../shared/report-folder/index.ts";
import { openStorage } from "../../shared/storage/index.ts";
import { type World, withinTime } from "../../shared/world/index.ts";
import { choose } from "./choose.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { restoreForeign } from "./restore-foreign.ts";
import { restoreOwn } from "./restore-own.ts";
import type { Means } from "./restored.ts";

/**
 * Restores a backup into a real target. First every byte of it is read and held against what it says
 * of itself, and what another tool wrote is recovered to the wanted moment; then it is restored beside
 * what is there, proven, and only then put in its place. Until that moment the target is as it was.
 */
export async function restoreDatabase(
  options: Options,
  given: World,
): Promise<Outcome<OutputName>> {
  using world = withinTime(given, options.timeLimit, () => overTime(options));
  const journal = new Journal(world.clock);
  const workspace = world.environment.GITHUB_WORKSPACE ?? process.cwd();
  const folder = await openReportFolder(options.report, workspace);
  const storage = await journal.phase("open", () => openStorage(storageSettings(options), world));
  const means: Means = { options, storage, world, journal };
  const chosen = await journal.phase("find", () => choose(means));
  const { origin, restored } =
    chosen.form === "own"
      ? await restoreOwn(chosen.listed, means)
      : await restoreForeign(chosen, means);
  return await outcomeOf({ origin, restored, folder }, means);
}

function overTime({ name, pattern, timeLimit }: Options): UserError {
  return new UserError({
    title: "The restore took too long",
    cause: `The restore of ${name ?? pattern} was not done after ${secondsInWords(timeLimit / 1_000)}, and was given up.`,
    remedy:
      "Give it more time by time-limit, and run again; the log tells how far it came, and whether the target was changed.",
  });
}
