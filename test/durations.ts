import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** How long files of tests took, in seconds, where it was long: what is started late ends last. */

const FILE = join(import.meta.dirname, "durations.json");
const ROOT = join(import.meta.dirname, "..");
/** Shorter ones fill the gaps, in any order. */
const WORTH_NOTING_SECONDS = 5;

/** Seconds by path from the root of the project. */
export function readDurations(): Readonly<Record<string, number>> {
  return JSON.parse(readFileSync(FILE, "utf8"));
}

/** Notes how long these files took, beside what is noted of others. */
export function recordDurations(
  results: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[],
): void {
  const seconds = results.map(
    ({ name, startTime, endTime }) =>
      [relative(ROOT, name), Math.round((endTime - startTime) / 1_000)] as const,
  );
  const all = { ...readDurations(), ...Object.fromEntries(seconds) };
  const kept = Object.entries(all)
    .filter(([, duration]) => duration >= WORTH_NOTING_SECONDS)
    .sort(([, one], [, other]) => other - one);
  writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`);
}
