import {
  BrokenManifest,
  examineSeal,
  findingOf,
  type Listed,
  openBackup,
  openVerifier,
  type SealExamination,
  type StoredBackup,
} from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { type Origin, originOf } from "./origin.ts";
import { restoreKind } from "./restore-kind.ts";
import type { Means, Restored } from "./restored.ts";
import { thaw } from "./thaw.ts";

/** Restores a backup that backup-database made: every byte of it is read before anything is touched. */
export async function restoreOwn(
  listed: Listed,
  means: Means,
): Promise<{ readonly origin: Origin; readonly restored: Restored }> {
  const { journal } = means;
  await journal.phase("thaw", () => thaw(listed, means));
  const backup = await opened(listed.id, means);
  const seal = await journal.phase("read", () => examine(backup, means));
  return { restored: await restoreKind(backup, means), origin: originOf(backup, seal) };
}

async function opened(id: string, { options, storage, world }: Means): Promise<StoredBackup> {
  const { name = "", identity: identities, passphrase } = options;
  try {
    return await openBackup(storage, { name, id }, { identities, passphrase }, world);
  } catch (error) {
    if (!(error instanceof BrokenManifest)) throw error;
    throw broken(id, findingOf(error)?.what ?? "");
  }
}

/** @throws {UserError} where the backup is not what was written. */
async function examine(backup: StoredBackup, { options, world }: Means): Promise<SealExamination> {
  const { verificationKey } = options;
  const verifier = verificationKey === undefined ? undefined : openVerifier(verificationKey);
  const seal = await examineSeal(backup, { verifier }, world);
  const damage = seal.findings.filter(({ weight }) => weight === "damage");
  if (damage.length === 0) return seal;
  throw broken(
    backup.manifest.id,
    damage
      .map(({ what }) => what)
      .slice(0, 5)
      .join("\n"),
  );
}

function broken(id: string, cause: string): UserError {
  return new UserError({
    title: "The backup is damaged",
    cause: `${id}: ${cause}`,
    remedy: "Give another backup, such as backup: proven. The target was not touched.",
  });
}
