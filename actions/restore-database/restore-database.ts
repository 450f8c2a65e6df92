import type { Outcome } from "../../shared/action/index.ts";
import {
  BrokenManifest,
  examineSeal,
  findingOf,
  openBackup,
  openVerifier,
  type SealExamination,
  type StoredBackup,
} from "../../shared/backup/index.ts";
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
import { restoreKind } from "./restore-kind.ts";
import type { Means } from "./restored.ts";
import { thaw } from "./thaw.ts";

/**
 * Restores a backup into a real target. First every byte of it is read and held against its manifest
 * and signature; then it is restored beside what is there, proven against the fingerprint, and only
 * then put in its place. Until that moment the target is as it was.
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
  const listed = await journal.phase("find", () => choose(means));
  await journal.phase("thaw", () => thaw(listed, means));
  const backup = await opened(listed.id, means);
  const seal = await journal.phase("read", () => examine(backup, means));
  const restored = await restoreKind(backup, means);
  return await outcomeOf({ backup, seal, restored, folder }, means);
}

async function opened(id: string, { options, storage, world }: Means): Promise<StoredBackup> {
  const { name, identity: identities, passphrase } = options;
  try {
    return await openBackup(storage, { name, id }, { identities, passphrase }, world);
  } catch (error) {
    if (!(error instanceof BrokenManifest)) throw error;
    throw broken(id, findingOf(error)?.what ?? "");
  }
}

/**
 * Reads every byte before anything is touched.
 *
 * @throws {UserError} where the backup is not what was written.
 */
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

function overTime({ name, timeLimit }: Options): UserError {
  return new UserError({
    title: "The restore took too long",
    cause: `The restore of ${name} was not done after ${secondsInWords(timeLimit / 1_000)}, and was given up.`,
    remedy:
      "Give it more time by time-limit, and run again; the log tells how far it came, and whether the target was changed.",
  });
}
