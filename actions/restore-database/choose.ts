import {
  catalogue,
  chooseBackup,
  type Listed,
  provenTier,
  readHistory,
} from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Means } from "./restored.ts";

/**
 * The backup that is meant: `proven` is the newest that a verification passed; all else as
 * verify-backup has it.
 *
 * @throws {UserError} where there is none.
 */
export async function choose({ options, storage, world }: Means): Promise<Listed> {
  const series = await catalogue(storage, options.name, world.signal);
  if (options.backup !== "proven") return chooseBackup(series, options.backup);
  const history = await readHistory(storage, series, { limit: Infinity }, world.signal);
  const found = history.findLast((each) => provenTier(each.verifications) !== undefined);
  if (found !== undefined) return found.listed;
  throw new UserError({
    title: "No backup was proven",
    cause: `None of the ${series.backups.length} backups of ${options.name} has passed a verification.`,
    remedy: "Verify one by verify-backup, or give backup: latest to take the newest as it is.",
  });
}
