import { UserError } from "../failure/index.ts";
import { secondsInWords } from "../quantity/index.ts";
import { isThawable, type Storage, type StoredObject, type ThawTier } from "../storage/index.ts";
import type { World } from "../world/index.ts";

/** How what is frozen is asked for. */
export interface ThawSettings {
  readonly tier: ThawTier;
  /** For how many days it can be read then. */
  readonly days: number;
}

const TOGETHER = 8;

/**
 * Has what an archive's storage class froze (Glacier and its like) made readable, and waits for it
 * with progress in the log. Where nothing is frozen nothing is done.
 *
 * @param settings undefined where nobody wants to wait, or pay, for it.
 * @param what it belongs to, for messages: a backup's id.
 * @throws {UserError} where it is frozen and was not asked for, or cannot be had.
 */
export async function thawFiles(
  storage: Storage,
  files: readonly StoredObject[],
  { what, settings }: { readonly what: string; readonly settings: ThawSettings | undefined },
  world: Pick<World, "log" | "signal">,
): Promise<void> {
  const { log, signal } = world;
  const frozen = await frozenOf(storage, files, signal);
  if (frozen.length === 0) return;
  if (settings === undefined) throw notAskedFor(frozen, files.length, what, storage);
  if (!isThawable(storage)) throw cannotBeAsked(frozen, what, storage);
  log.info(`${frozen.length} files of ${what} are thawed (${settings.tier}), which may take hours`);
  await storage.thaw(
    frozen.map(({ name }) => name),
    {
      ...{ tier: settings.tier, days: settings.days, signal },
      onProgress: ({ ready, total, elapsed, left }) => {
        const still = left <= 0 ? "" : `, at most ${secondsInWords(left / 1_000)} left`;
        log.info(`Thawed ${ready} of ${total} after ${secondsInWords(elapsed / 1_000)}${still}`);
      },
    },
  );
}

/** A list tells of storage classes only: what Intelligent-Tiering archived is told one by one. */
async function frozenOf(
  storage: Storage,
  files: readonly StoredObject[],
  signal: AbortSignal,
): Promise<readonly StoredObject[]> {
  if (!isThawable(storage)) return files.filter(({ state }) => state !== "ready");
  const frozen: StoredObject[] = [];
  const next = files.values();
  const lane = async () => {
    for (const file of next) {
      const seen = file.state === "ready" ? await storage.stat(file.name, signal) : file;
      if (seen !== undefined && seen.state !== "ready") frozen.push(seen);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, lane));
  return frozen.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function notAskedFor(
  frozen: readonly StoredObject[],
  all: number,
  what: string,
  { place }: Storage,
): UserError {
  const isComing = frozen.every(({ state }) => state === "thawing");
  return new UserError({
    title: "The backup is frozen",
    cause: `${frozen.length} of the ${all} files of ${what} in ${place}, such as ${frozen[0]?.name}, are in an archive (Glacier and its like) and cannot be read ${isComing ? "yet: they are being thawed" : "at once"}.`,
    remedy: isComing
      ? "Run again when they are thawed, or give thaw-tier: standard to wait for them."
      : "Give thaw-tier: standard (hours), bulk (longer, cheaper) or expedited (minutes, dearer) to have them thawed and to wait for them, and a time-limit that is long enough; or name a backup that is not in the archive.",
  });
}

function cannotBeAsked(
  frozen: readonly StoredObject[],
  what: string,
  { place }: Storage,
): UserError {
  return new UserError({
    title: "The backup is frozen",
    cause: `${frozen.length} files of ${what} are in an archive, and ${place} cannot be asked for them.`,
    remedy: "Have them restored by the storage's own means, then run again.",
  });
}
