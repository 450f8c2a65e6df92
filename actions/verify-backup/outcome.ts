import type { Outcome } from "../../shared/action/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  byWeight,
  type Finding,
  findingInWords,
  headlineOf,
  type Verification,
  verificationSummary,
} from "../../shared/proof/index.ts";
import { countInWords } from "../../shared/quantity/index.ts";
import type { OutputName } from "./inputs.ts";
import type { Published } from "./publish.ts";

const MOST_CAUSES = 10;

/** The verdict and what it stands on, for the log; what is wrong is in the annotation. */
export function linesOf(verification: Verification): readonly string[] {
  const { findings, items, unit, unknown, circumstances } = verification;
  const rows = items.reduce((sum, { found }) => sum + (found ?? 0), 0);
  const count = (weight: string) => findings.filter((each) => each.weight === weight).length;
  const compared = `${countInWords(items.length)} compared, ${countInWords(rows)} ${unit} found`;
  return [
    headlineOf(verification),
    ...(items.length === 0 ? [] : [compared]),
    ...Object.entries(circumstances).map(([name, words]) => `${name}: ${words}`),
    ...(findings.length === 0
      ? []
      : [`${count("damage")} damages, ${count("doubt")} doubts, ${count("note")} notes`]),
    ...unknown.map((sentence) => `Not known: ${sentence}`),
  ];
}

/** The step's outcome: outputs, the summary, and what is wrong as the step's failure. */
export function outcomeOf(
  verification: Verification,
  report: Published,
  seconds: number,
): Outcome<OutputName> {
  const { objectives, findings } = verification;
  return {
    outputs: {
      ...{ backup: verification.backup, tier: verification.reached },
      "age-seconds": objectives.age === undefined ? "" : Math.round(objectives.age),
      "restore-seconds": objectives.restore === undefined ? "" : rounded(objectives.restore),
      findings: byWeight(findings).slice(0, 100),
      unknown: verification.unknown,
      ...{ report: report.file, evidence: report.sha256, seconds: rounded(seconds) },
    },
    summary: verificationSummary(verification),
    failure: withTelling(failureOf(verification), verification, report.failures),
  };
}

/** A finding as a line, its subject named once. */
function sentence(finding: Finding): string {
  const { subject } = finding;
  const what = findingInWords(finding);
  return what.startsWith(subject) ? what : `${subject}: ${what}`;
}

function rounded(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** What is wrong, a line for each finding; undefined where nothing is. */
export function failureOf(verification: Verification): UserError | undefined {
  if (verification.verdict === "passed") return undefined;
  const against = byWeight(verification.findings).filter(({ weight }) => weight !== "note");
  const lines = against.slice(0, MOST_CAUSES).map(sentence);
  if (against.length > MOST_CAUSES)
    lines.push(`And ${against.length - MOST_CAUSES} more, all in the report.`);
  if (lines.length === 0) {
    lines.push(
      `It was looked at only as far as ${verification.reached}, and ${verification.tier} was asked for.`,
    );
  }
  return new UserError({
    title: headlineOf(verification),
    cause: lines.join("\n"),
    remedy: remedyFor(verification),
  });
}

/** The failure, with those of telling it: what was found comes first. */
function withTelling(
  found: UserError | undefined,
  verification: Verification,
  failures: readonly UserError[],
): UserError | undefined {
  const [first] = failures;
  if (first === undefined) return found;
  const causes = failures.map(({ title, cause }) => `${title}: ${cause}`);
  if (found !== undefined) {
    const { title, cause, remedy } = found;
    return new UserError({ title, cause: [cause, ...causes].join("\n"), remedy });
  }
  const remedies = failures.map(({ remedy }) => remedy);
  return new UserError({
    title: failures.length === 1 ? first.title : "The report could not be told everywhere",
    cause: [...causes, `The verification itself passed: ${headlineOf(verification)}.`].join("\n"),
    remedy: [...new Set(remedies)].join(" "),
  });
}

function remedyFor({ findings, name, evidence }: Verification): string {
  const against = findings.filter(({ weight }) => weight !== "note");
  if (against.length > 0 && against.every(({ detector }) => detector === "signature")) {
    return "See who wrote it. If it was backup-database without the key, give it signing-key, or verify without verification-key.";
  }
  if (against.some(({ weight }) => weight === "damage")) {
    const what = evidence.length > 0 ? name : "the source";
    return `Back up ${what} again at once and verify that; until then the last backup that was proven is the one to restore from.`;
  }
  if (against.some(({ detector }) => detector === "age")) {
    return "See why no newer backup was written: the schedule, the job's log, the storage.";
  }
  return "The report tells each of them with what was expected and what was found.";
}
