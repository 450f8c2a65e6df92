import type { Outcome } from "../../shared/action/index.ts";
import { judgeAge, judgeSchedule, openSigner, openVerifier } from "../../shared/backup/index.ts";
import { storageSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { openReportFolder } from "../../shared/report-folder/index.ts";
import { openStorage } from "../../shared/storage/index.ts";
import { type World, withinTime } from "../../shared/world/index.ts";
import { readDeclared } from "./declared.ts";
import { examineSubject } from "./examine-subject.ts";
import type { Options, OutputName } from "./inputs.ts";
import { linesOf, outcomeOf } from "./outcome.ts";
import { publish } from "./publish.ts";
import { findSubject } from "./subject.ts";
import { verificationOf } from "./verification.ts";

/**
 * Proves a backup: finds it, holds its age and size against what they should be, reads every byte,
 * restores it into a server that is thrown away, compares everything with what is known of the
 * source, and says what is lost and what cannot be known. Neither source nor backup is changed; the
 * report is kept beside the backup, so that retention and the next verification know of it.
 */
export async function verifyBackup(options: Options, given: World): Promise<Outcome<OutputName>> {
  using world = withinTime(given, options.timeLimit, () => overTime(options));
  const journal = new Journal(world.clock);
  const verifier = options.verificationKey && openVerifier(options.verificationKey);
  const signer = signerOf(options, world);
  const workspace = world.environment.GITHUB_WORKSPACE ?? process.cwd();
  const folder = await openReportFolder(options.report, workspace);
  const declared = await readDeclared(options, world);
  const storage = await journal.phase("open", () => openStorage(storageSettings(options), world));
  const subject = await journal.phase("find", () => findSubject(options, storage, world));
  const found = await journal.phase("examine", () =>
    examineSubject(subject, { verifier: verifier || undefined, options, declared, storage }, world),
  );
  const now = world.clock.now();
  const { taken } = found.described;
  const findings = [
    ...(taken === undefined ? [] : judgeAge(taken, now, options.rpo)),
    ...(subject.form === "foreign"
      ? []
      : judgeSchedule(
          subject.series.backups.map(({ began }) => began),
          now,
        )),
    ...found.findings,
  ];
  const verification = verificationOf({ ...found, findings }, { options, storage, journal, now });
  for (const line of linesOf(verification)) world.log.info(line);
  const report = await journal.phase("report", () =>
    publish(verification, { folder, signer, storage, subject, options }, world),
  );
  return outcomeOf(verification, report, journal.elapsed() / 1_000);
}

function signerOf({ reportKey: key, reportPassphrase: passphrase }: Options, { secrets }: World) {
  return key === undefined ? undefined : openSigner({ key, passphrase }, secrets);
}

function overTime({ name, pattern, timeLimit }: Options): UserError {
  return new UserError({
    title: "The verification took too long",
    cause: `The verification of ${name ?? pattern} was not done after ${secondsInWords(timeLimit / 1_000)}, and was given up.`,
    remedy:
      "Give it more time by time-limit, or choose a tier that takes less; the log tells how far it came.",
  });
}
