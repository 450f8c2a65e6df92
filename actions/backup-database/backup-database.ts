import type { Outcome } from "../../shared/action/index.ts";
import { parseKeep, type WrittenBackup, writeBackup } from "../../shared/backup/index.ts";
import {
  keepingSettings,
  sealingSettings,
  signingSettings,
} from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { openStorage } from "../../shared/storage/index.ts";
import { type World, withinTime } from "../../shared/world/index.ts";
import { checkApart } from "./apart.ts";
import type { Options, OutputName } from "./inputs.ts";
import { kindOf } from "./kind.ts";
import { outcomeOf } from "./outcome.ts";
import { retain } from "./retain.ts";
import { sourceOf } from "./sources.ts";

/**
 * Backs up a source: everything that has to be right is checked before anything is written; then its
 * parts and the fingerprint of what they hold stream into the storage, the manifest last; then older
 * backups of the series go, as retention has it. What fails on the way leaves no backup that counts.
 */
export async function backupDatabase(options: Options, given: World): Promise<Outcome<OutputName>> {
  using world = withinTime(given, options.timeout, () => overTime(options));
  const journal = new Journal(world.clock);
  const kind = kindOf(options, world.environment);
  const settings = keepingSettings(options);
  const sealing = sealingSettings(options);
  const signing = signingSettings(options);
  const keep = parseKeep(options.keep);
  const source = await journal.phase("connect", () => sourceOf(kind, options, world));
  const storage = await journal.phase("open", () => openStorage(settings, world));
  await checkApart(kind, options, storage);
  const written: WrittenBackup = await journal.phase("back up", () =>
    writeBackup(source, storage, { name: options.name, sealing, signing }, world),
  );
  const retained = await journal.phase("retain", () =>
    retain(keep, options, storage, written.manifest.id, world),
  );
  return outcomeOf(written, { storage, journal, world, retained });
}

function overTime({ name, timeout }: Options): UserError {
  return new UserError({
    title: "The backup took too long",
    cause: `The backup of ${name} was not done after ${secondsInWords(timeout / 1_000)}, and was given up; no part of it is left.`,
    remedy: "Give it more time by timeout; the log tells how far it came and how fast it went.",
  });
}
