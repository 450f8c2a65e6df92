import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { byWeight, type Verification, verificationSummary } from "../../shared/proof/index.ts";
import { secondsInWords } from "../../shared/quantity/index.ts";
import { escapeMarkdown, table } from "../../shared/report/index.ts";
import type { ReportFolder } from "../../shared/report-folder/index.ts";
import type { Options, OutputName } from "./inputs.ts";
import type { Origin } from "./origin.ts";
import type { Means, Restored } from "./restored.ts";
import { seriesBefore } from "./series-before.ts";

/** All that the step knows at its end. */
export interface Ending {
  readonly origin: Origin;
  readonly restored: Restored;
  readonly folder: ReportFolder;
}

/** The step's outcome: outputs, report, summary; what is not as it was taken fails it. */
export async function outcomeOf(ending: Ending, means: Means): Promise<Outcome<OutputName>> {
  const { origin, restored, folder } = ending;
  const { world, journal } = means;
  const now = world.clock.now();
  const lost = lostSeconds(origin, now);
  const verification = verificationOf(ending, means, now);
  const report = await folder.write(verification, undefined);
  const phases = journal.phases.map(({ name, from, to }) => ({
    name,
    seconds: (to - from) / 1_000,
  }));
  const where = [
    ["Restored into", escapeMarkdown(restored.target)],
    ["Lost", lostInWords(origin, lost)],
    ["Former contents", escapeMarkdown(formerWords(restored))],
  ];
  return {
    outputs: {
      ...{ backup: origin.id, target: restored.target },
      "previous-backup": restored.previousBackup ?? "",
      "previous-database": restored.previousDatabase ?? "",
      "previous-folder": restored.previousFolder ?? "",
      "lost-seconds": lost ?? "",
      "restore-seconds": Math.round(restored.restoreSeconds * 10) / 10,
      ...{ phases, findings: byWeight(verification.findings).slice(0, 100) },
      report: report.file,
      seconds: Math.round(journal.elapsed() / 100) / 10,
    },
    summary: `${headline(ending)}\n${table(["", ""], where)}\n${verificationSummary(verification).replace(/^## .*\n/, "")}`,
    failure: failureOf(ending, means),
  };
}

/**
 * How much time lies between the moment that a backup shows and the restore; undefined where nothing
 * tells that moment.
 */
export function lostSeconds({ moment }: Pick<Origin, "moment">, now: number): number | undefined {
  return moment === undefined ? undefined : Math.max(0, Math.round((now - moment) / 1_000));
}

function lostInWords({ moment }: Origin, lost: number | undefined): string {
  if (moment === undefined || lost === undefined)
    return "nothing tells the moment that the backup shows";
  return `what was written in the ${secondsInWords(lost)} since ${new Date(moment).toISOString()}`;
}

function headline({ restored, origin }: Ending): string {
  if (!restored.isSwitched) {
    const state = restored.isTouched ? "does not hold what was backed up" : "was not replaced";
    return `## ❌ ${escapeMarkdown(restored.target)} ${state}\n`;
  }
  const of =
    origin.moment === undefined
      ? escapeMarkdown(origin.id)
      : `the backup of ${new Date(origin.moment).toISOString()}`;
  return `## ✅ ${escapeMarkdown(restored.target)} holds ${of}\n`;
}

function formerWords({ previousDatabase, previousFolder, previousBackup }: Restored): string {
  const words = [
    previousDatabase === undefined ? "" : `in database ${previousDatabase}`,
    previousFolder === undefined ? "" : `in ${previousFolder}`,
    previousBackup === undefined ? "" : `in backup ${previousBackup}`,
  ].filter((each) => each !== "");
  return words.length === 0 ? "there were none" : words.join(", and ");
}

function verificationOf(
  { origin, restored }: Ending,
  { options, storage, journal }: Means,
  now: number,
): Verification {
  const { moment } = origin;
  const findings = [...origin.findings, ...restored.findings];
  const age = moment === undefined ? undefined : (now - moment) / 1_000;
  return {
    ...{
      schema: 1,
      verdict: restored.isSwitched ? "passed" : "failed",
      tier: "full",
      reached: "full",
    },
    ...{ name: origin.name, backup: origin.id, kind: origin.kind, subject: origin.subject },
    taken: moment === undefined ? undefined : new Date(moment).toISOString(),
    ...{ storage: storage.place, verified: new Date(now).toISOString() },
    ...{ findings, items: restored.items, unit: restored.unit },
    unknown: [...new Set([...origin.unknown, ...restored.unknown])],
    circumstances: {
      ...origin.circumstances,
      ...{ "restored into": restored.target, method: options.method },
    },
    objectives: {
      ...{ age, rpo: undefined, rto: undefined },
      ...{ restore: restored.restoreSeconds, outlook: undefined },
    },
    ...{ bytes: origin.bytes, storedBytes: origin.storedBytes },
    ...{ phases: journal.phases, trend: [], evidence: origin.evidence },
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
