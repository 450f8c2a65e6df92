import type { ForeignBackup } from "../../../../shared/backup/index.ts";
import type { Dump, ExamineOptions } from "../../../../shared/dump-format/index.ts";
import { UserError } from "../../../../shared/failure/index.ts";
import type { Origin } from "../../origin.ts";
import type { Means, Restored } from "../../restored.ts";

/** A dump of a cron's. */
export interface ForeignDump {
  readonly backup: ForeignBackup;
  readonly dump: Dump;
  readonly decrypt: NonNullable<ExamineOptions["decrypt"]>;
}

export async function restoreForeignDump(
  { backup }: ForeignDump,
  _means: Means,
): Promise<{ readonly origin: Origin; readonly restored: Restored }> {
  throw new UserError({
    title: "This is no base backup",
    cause: `${backup.name} is no base backup.`,
    remedy: "Give another pattern. The target was not touched.",
  });
}
