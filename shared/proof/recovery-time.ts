import { secondsInWords } from "../quantity/index.ts";
import type { Finding } from "./finding.ts";
import { type Measured, outlook } from "./outlook.ts";

/** What was measured of the time to recover, and what follows from it. */
export interface RecoveryTime {
  readonly findings: readonly Finding[];
  /** What is to be expected when the data has grown, in one or two sentences. */
  readonly outlook: string | undefined;
}

/** A restore that comes this near to its objective is worth a note, in days. */
const SOON_DAYS = 90;

/**
 * Holds the time that a restore took against the recovery time objective, and looks ahead.
 *
 * @param restoreSeconds undefined where nothing was restored.
 * @param rtoSeconds undefined where no objective is given.
 * @param measured this restore and earlier ones of the same series.
 */
export function recoveryTime(
  restoreSeconds: number | undefined,
  rtoSeconds: number | undefined,
  measured: readonly Measured[],
): RecoveryTime {
  if (restoreSeconds === undefined) {
    const what =
      "Nothing was restored, so that the recovery time is not known; the tiers data and full measure it.";
    const missing = rtoSeconds === undefined ? [] : [finding("doubt", what)];
    return { findings: missing, outlook: undefined };
  }
  const ahead = outlook(measured, rtoSeconds);
  const findings: Finding[] = [];
  if (rtoSeconds !== undefined && restoreSeconds > rtoSeconds) {
    const what = `The restore took ${secondsInWords(restoreSeconds)}, and may take ${secondsInWords(rtoSeconds)}.`;
    findings.push({
      ...finding("doubt", what),
      expected: `at most ${secondsInWords(rtoSeconds)}`,
      found: secondsInWords(restoreSeconds),
    });
  } else if (ahead?.daysUntilRto !== undefined && ahead.daysUntilRto <= SOON_DAYS) {
    const what = `As the data grows, a restore takes longer than its objective in ${ahead.daysUntilRto} days.`;
    findings.push(finding("note", what));
  }
  if (ahead === undefined) return { findings, outlook: undefined };
  const twice = `At twice the size a restore takes some ${secondsInWords(ahead.atTwiceTheSize)}.`;
  const until =
    ahead.daysUntilRto === undefined || ahead.daysUntilRto > 3_650
      ? ""
      : ` At this growth it reaches its objective in ${ahead.daysUntilRto} days.`;
  return { findings, outlook: `${twice}${until}` };
}

function finding(weight: Finding["weight"], what: string): Finding {
  return { detector: "recovery-time", tier: "data", weight, subject: "restore", what };
}
