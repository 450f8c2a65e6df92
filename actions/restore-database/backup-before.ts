import { type BackupSource, writeBackup } from "../../shared/backup/index.ts";
import { sealingSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { recipientsOf } from "../../shared/sealing/index.ts";
import type { Options } from "./inputs.ts";
import type { Means } from "./restored.ts";
import { seriesBefore } from "./series-before.ts";

/**
 * Backs up what is about to be replaced, into the same storage; gives its id, or undefined where
 * that is not wanted.
 *
 * @throws {UserError} where it could not be backed up: then nothing is replaced.
 */
export async function backUpBefore(
  source: BackupSource,
  { options, storage, world }: Means,
): Promise<string | undefined> {
  if (!options.backupBefore) return undefined;
  const sealing = sealingSettings(await keysFor(options));
  const name = seriesBefore(options);
  const { manifest } = await writeBackup(source, storage, { name, sealing }, world).catch(
    (error) => {
      throw world.signal.aborted ? error : notBackedUp(error, source.subject);
    },
  );
  world.log.info(`What is replaced is in backup ${manifest.id} of ${manifest.name}`);
  return manifest.id;
}

function notBackedUp(error: unknown, subject: string): unknown {
  if (!(error instanceof UserError)) return error;
  return new UserError(
    {
      title: "What is to be replaced could not be backed up",
      cause: `${subject}: ${error.title}. ${error.cause}`,
      remedy: `${error.remedy} Or give backup-before: false, where nothing in it is missed. Nothing was changed.`,
      ...(error.evidence === undefined ? {} : { evidence: error.evidence }),
    },
    { reason: error },
  );
}

/** What was encrypted is not followed by what is open: the same keys open both. */
async function keysFor({ encryptTo, identity, passphrase }: Options) {
  const encryption = "auto" as const;
  if (encryptTo !== undefined) return { encryption, encryptTo, passphrase: undefined };
  if (identity === undefined) return { encryption, encryptTo, passphrase };
  return { encryption, encryptTo: [...(await recipientsOf(identity))], passphrase: undefined };
}
