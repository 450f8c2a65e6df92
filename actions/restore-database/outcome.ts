import type { Outcome } from "../../shared/action/index.ts";
import type { SealExamination, StoredBackup } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { byWeight, type Verification, verificationSummary } from "../../shared/proof/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { escapeMarkdown, table } from "../../shared/report/index.ts";
import type { ReportFolder } from "../../shared/report-folder/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import type { Means, Restored } from "./restored.ts";
import { seriesBefore } from "./series-before.ts";

/** All that the step knows at its end. */
export interface Ending {
  readonly backup: StoredBackup;
  readonly seal: SealExamination;
  readonly restored: Restored;
  readonly folder: ReportFolder;
}

/** The step's outcome: outputs, report, summary; what is not as it was taken fails it. */
export async function outcomeOf(ending: Ending, means: Means): Promise<Outcome<OutputName>> {
  const { backup, restored, folder } = ending;
  const { world, journal } = means;
  const now = world.clock.now();
  const lost = Math.max(0, Math.round((now - Date.parse(backup.manifest.taken)) / 1_000));
  const verification = verificationOf(ending, means, now);
  const report = await folder.write(verification, undefined);
  const phases = journal.phases.map(({ name, from, to }) => ({
    name,
    seconds: (to - from) / 1_000,
  }));
  const where = [
    ["Restored into", escapeMarkdown(restored.target)],
    [
      "Lost",
      `what was written in the ${secondsInWords(lost)} since ${escapeMarkdown(backup.manifest.taken)}`,
    ],
    ["Former contents", escapeMarkdown(formerWords(restored))],
  ];
  return {
    outputs: {
      ...{ backup: backup.manifest.id, target: restored.target },
      "previous-backup": restored.previousBackup ?? "",
      "previous-database": restored.previousDatabase ?? "",
      "lost-seconds": lost,
      "restore-seconds": Math.round(restored.restoreSeconds * 10) / 10,
      ...{ phases, findings: byWeight(verification.findings).slice(0, 100) },
      report: report.file,
      seconds: Math.round(journal.elapsed() / 100) / 10,
    },
    summary: `${headline(ending)}\n${table(["", ""], where)}\n${verificationSummary(verification).replace(/^## .*\n/, "")}`,
    failure: failureOf(ending, means),
  };
}

function headline({ restored, backup }: Ending): string {
  if (!restored.isSwitched) {
    const state = restored.isTouched ? "does not hold what was backed up" : "was not replaced";
    return `## ❌ ${escapeMarkdown(restored.target)} ${state}\n`;
  }
  return `## ✅ ${escapeMarkdown(restored.target)} holds the backup of ${escapeMarkdown(backup.manifest.taken)}\n`;
}

function formerWords({ previousDatabase, previousBackup }: Restored): string {
  const words = [
    previousDatabase === undefined ? "" : `in database ${previousDatabase}`,
    previousBackup === undefined ? "" : `in backup ${previousBackup}`,
  ].filter((each) => each !== "");
  return words.length === 0 ? "there were none" : words.join(", and ");
}

function verificationOf(
  { backup, seal, restored }: Ending,
  { options, storage, journal }: Means,
  now: number,
): Verification {
  const { manifest } = backup;
  const findings = [...seal.findings, ...restored.findings];
  const all = [...manifest.parts, manifest.fingerprint];
  return {
    ...{
      schema: 1,
      verdict: restored.isSwitched ? "passed" : "failed",
      tier: "full",
      reached: "full",
    },
    ...{ name: manifest.name, backup: manifest.id, kind: manifest.kind, subject: manifest.subject },
    ...{ storage: storage.place, taken: manifest.taken, verified: new Date(now).toISOString() },
    ...{ findings, items: restored.items, unit: restored.unit },
    unknown: [...new Set([...seal.unknown, ...restored.unknown])],
    circumstances: { "restored into": restored.target, method: options.method },
    objectives: {
      ...{ age: (now - Date.parse(manifest.taken)) / 1_000, rpo: undefined, rto: undefined },
      ...{ restore: restored.restoreSeconds, outlook: undefined },
    },
    bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: all.reduce((sum, { storedBytes }) => sum + storedBytes, 0),
    ...{ phases: journal.phases, trend: [], evidence: seal.evidence },
  };
}

function failureOf({ restored }: Ending, { options }: Means): UserError | undefined {
  if (restored.isSwitched) return undefined;
  const damage = byWeight(restored.findings).filter(({ weight }) => weight === "damage");
  const lines = damage.slice(0, 10).map(({ subject, what }) => `${subject}: ${what}`);
  return new UserError({
    title: "What was restored is not what was backed up",
    cause: lines.join("\n"),
    remedy: restored.isTouched
      ? wayBack(restored, options)
      : `${restored.target} is as it was, and what was restored is dropped. Give another backup, such as backup: proven.`,
  });
}

function wayBack({ target, previousBackup }: Restored, options: Options): string {
  const former =
    previousBackup === undefined
      ? "There is no backup of what was there before."
      : `What was there before is in backup ${previousBackup}: restore that with name: ${seriesBefore(options)}.`;
  return `${target} holds it as it is. ${former} Or give another backup, such as backup: proven.`;
}
