import type { Listed } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { isThawable } from "../../shared/storage/index.ts";
import type { Means } from "./restored.ts";

/** Has what an archive's storage class froze made readable, and waits for it. */
export async function thaw(backup: Listed, { options, storage, world }: Means): Promise<void> {
  const frozen = backup.files.filter(({ state }) => state !== "ready").map(({ name }) => name);
  if (frozen.length === 0) return;
  if (!isThawable(storage)) {
    throw new UserError({
      title: "The backup is frozen",
      cause: `${frozen.length} files of ${backup.id} are in an archive, and ${storage.place} cannot be asked for them.`,
      remedy: "Have them restored by the storage's own means, then run again.",
    });
  }
  world.log.info(`${frozen.length} files of ${backup.id} are thawed, which may take hours`);
  await storage.thaw(frozen, {
    ...{ tier: options.thawTier, days: options.thawDays, signal: world.signal },
    onProgress: ({ ready, total, elapsed, left }) => {
      const still = left <= 0 ? "" : `, at most ${secondsInWords(left / 1_000)} left`;
      world.log.info(
        `Thawed ${ready} of ${total} after ${secondsInWords(elapsed / 1_000)}${still}`,
      );
    },
  });
}
