import {
  catalogue,
  chooseBackup,
  chooseForeign,
  type ForeignBackup,
  foreignBackups,
  type Listed,
  provenTier,
  readHistory,
} from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Means } from "./restored.ts";

/** The backup that is meant. */
export type Chosen =
  /** One of a series that backup-database wrote. */
  | { readonly form: "own"; readonly listed: Listed }
  /** Files of another tool. */
  | { readonly form: "foreign"; readonly backup: ForeignBackup }
  /** One in a repository that only its tool can read. */
  | { readonly form: "repository"; readonly kind: "pgbackrest" | "wal-g" };

/**
 * The backup that is meant: of a series of our own by `name`, where `proven` is the newest that a
 * verification passed; of other tools' files by `pattern`.
 *
 * @throws {UserError} where there is none, or it is not clear which is meant.
 */
export async function choose(means: Means): Promise<Chosen> {
  const { options, storage, world } = means;
  const { name, pattern, kind, targetFolder } = options;
  if (kind === "pgbackrest" || kind === "wal-g") return { form: "repository", kind };
  if (pattern !== undefined) {
    const all = await foreignBackups(storage, pattern, world.signal);
    return { form: "foreign", backup: await chooseFile(all, pattern, means) };
  }
  if (name === undefined) throw unnamed();
  if (targetFolder !== undefined) throw noCluster();
  if (options.pointInTime !== undefined || options.wal !== undefined) throw noWal();
  return { form: "own", listed: await chooseOwn(name, means) };
}

async function chooseOwn(name: string, { options, storage, world }: Means): Promise<Listed> {
  const series = await catalogue(storage, name, world.signal);
  if (options.backup !== "proven") return chooseBackup(series, options.backup);
  const history = await readHistory(
    storage,
    series,
    { limit: Infinity, skipsFrozen: true },
    world.signal,
  );
  const found = history.findLast((each) => provenTier(each.verifications) !== undefined);
  if (found !== undefined) return found.listed;
  throw new UserError({
    title: "No backup was proven",
    cause: `None of the ${series.backups.length} backups of ${name} has passed a verification.`,
    remedy: "Verify one by verify-backup, or give backup: latest to take the newest as it is.",
  });
}

/** The newest, or the newest that is older than the moment that is wanted. */
async function chooseFile(
  all: readonly ForeignBackup[],
  pattern: string,
  { options }: Means,
): Promise<ForeignBackup> {
  if (options.backup === "proven") throw notProven();
  if (options.backup !== "latest" || options.pointInTime === undefined)
    return chooseForeign(all, options.backup, pattern);
  const wanted = Date.parse(options.pointInTime);
  const older = all.filter(({ time }) => Number.isNaN(wanted) || time <= wanted);
  return chooseForeign(older.length > 0 ? older : all.slice(0, 1), "latest", pattern);
}

function notProven(): UserError {
  return new UserError({
    title: "Nothing tells which of them is proven",
    cause: "pattern names files of another tool, and of these no verifications are kept.",
    remedy: "Give backup: latest, or the name of one. The target was not touched.",
  });
}

function noWal(): UserError {
  return new UserError({
    title: "There is no WAL to recover by",
    cause:
      "point-in-time and wal are for base backups, which pattern names; what backup-database writes shows one moment only.",
    remedy:
      "Leave them out and give backup: before <time>, or give pattern in place of name. The target was not touched.",
  });
}

function noCluster(): UserError {
  return new UserError({
    title: "A dump is restored into a server",
    cause:
      "target-folder is given, which takes a base backup; what backup-database writes holds one database, and no cluster.",
    remedy: "Give target, or pattern and wal of a base backup. The target was not touched.",
  });
}

function unnamed(): UserError {
  return new UserError({
    title: "The backup to restore was not named",
    cause: "Neither name nor pattern is given.",
    remedy:
      "Give name, the series that backup-database wrote; or pattern, such as base/* or papers-*.sql.gz, for files of another tool.",
  });
}
