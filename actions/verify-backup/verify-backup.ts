import type { Outcome } from "../../shared/action/index.ts";
import {
  judgeAge,
  judgeSchedule,
  openSigner,
  openVerifier,
  recordVerification,
  type Signer,
} from "../../shared/backup/index.ts";
import { storageSettings } from "../../shared/backup-inputs/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { Journal } from "../../shared/journal/index.ts";
import { metrics, type Verification } from "../../shared/proof/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import {
  openReportFolder,
  type ReportFolder,
  writeMetrics,
} from "../../shared/report-folder/index.ts";
import { openStorage, type Storage } from "../../shared/storage/index.ts";
import { type World, withinTime } from "../../shared/world/index.ts";
import { examineSubject } from "./examine-subject.ts";
import type { Options, OutputName } from "./inputs.ts";
import { outcomeOf } from "./outcome.ts";
import { pushMetrics } from "./pushgateway.ts";
import { findSubject, type Subject } from "./subject.ts";
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
  const storage = await journal.phase("open", () => openStorage(storageSettings(options), world));
  const subject = await journal.phase("find", () => findSubject(options, storage, world));
  const found = await journal.phase("examine", () =>
    examineSubject(subject, { verifier: verifier || undefined, options, storage }, world),
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
  const report = await journal.phase("report", () =>
    publish(verification, { folder, signer, storage, subject, options }, world),
  );
  return outcomeOf(verification, report, journal.elapsed() / 1_000);
}

interface Publishing {
  readonly folder: ReportFolder;
  readonly signer: Signer | undefined;
  readonly storage: Storage;
  readonly subject: Subject;
  readonly options: Options;
}

/** Puts the report where people, programs and the next verification look for it. */
async function publish(
  verification: Verification,
  { folder, signer, storage, subject, options }: Publishing,
  world: World,
) {
  const report = await folder.write(verification, signer);
  const text = metrics(verification);
  await folder.add("metrics.prom", text);
  if (options.metricsFile !== undefined) {
    await writeMetrics(
      options.metricsFile,
      world.environment.GITHUB_WORKSPACE ?? process.cwd(),
      text,
    );
  }
  if (options.pushgateway !== undefined) {
    await pushMetrics(options.pushgateway, verification.name, text, world);
  }
  if (options.record && subject.form !== "foreign") {
    await recordVerification(storage, subject.listed.folder, verification, signer, world);
  }
  return report;
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
