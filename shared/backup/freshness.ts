import type { Finding } from "../proof/index.ts";
import { secondsInWords } from "../quantity/index.ts";

/** Clocks of servers and runners differ by less. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;
/** So many gaps between backups tell how often they are made. */
const FEWEST_GAPS = 3;
/** A gap so many times as long as usual lacks a backup. */
const LATE = 1.75;

/**
 * What the age of a backup says.
 *
 * @param taken the moment that the backup shows, like `now` in milliseconds since the Unix epoch.
 * @param rpo how old it may be, in milliseconds; undefined where nobody said.
 */
export function judgeAge(taken: number, now: number, rpo: number | undefined): readonly Finding[] {
  const finding = { detector: "age", tier: "integrity", weight: "doubt", subject: "age" } as const;
  const at = new Date(taken).toISOString();
  if (taken > now + CLOCK_TOLERANCE_MS) {
    const what = `The backup says that it is of ${at}, which is ${secondsInWords((taken - now) / 1_000)} from now: a clock is wrong.`;
    return [{ ...finding, what }];
  }
  const age = Math.max(0, now - taken);
  if (rpo === undefined || age <= rpo) return [];
  const what = `The backup shows ${at}, ${secondsInWords(age / 1_000)} ago: all since then would be lost, and the recovery point objective allows ${secondsInWords(rpo / 1_000)}.`;
  const expected = `at most ${secondsInWords(rpo / 1_000)}`;
  return [{ ...finding, what, expected, found: secondsInWords(age / 1_000) }];
}

/**
 * Backups that the series lacks, by how often they are usually made: the median of the gaps between
 * them.
 *
 * @param began of the series' backups, oldest first, in milliseconds since the Unix epoch.
 */
export function judgeSchedule(began: readonly number[], now: number): readonly Finding[] {
  const times = [...began, now];
  const gaps = began.slice(1).map((time, at) => time - (began[at] ?? time));
  if (gaps.length < FEWEST_GAPS) return [];
  const usual = median(gaps);
  if (usual <= 0) return [];
  return times.slice(1).flatMap((time, at) => {
    const from = times[at] ?? time;
    const missing = Math.round((time - from) / usual) - 1;
    if (time - from <= LATE * usual || missing < 1) return [];
    const until = at === began.length - 1 ? "now" : new Date(time).toISOString();
    const what = `Between ${new Date(from).toISOString()} and ${until} there is no backup, where about ${missing} would have been: usually there is one every ${secondsInWords(usual / 1_000)}.`;
    return [{ detector: "schedule", tier: "integrity", weight: "note", subject: "schedule", what }];
  });
}

/** Of at least one number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
