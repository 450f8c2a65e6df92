import type { Reason } from "./reason.ts";

/** Where a cause was seen, for evidence. */
export interface Place {
  readonly pod?: string;
  readonly container?: string;
}

/** Something that keeps an object from being ready and may not go away by itself. */
export interface Problem extends Place {
  /** The same problem has the same key for as long as it lasts. */
  readonly key: string;
  readonly reason: Reason;
  /** One sentence or clause, with the cluster's own words. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
  /** How long it may last, in milliseconds, before it counts as failed; Infinity: to the deadline. */
  readonly grace: number;
  readonly exitCode?: number;
}

/** What can be said of an object from what the cluster shows of it now. */
export interface Assessment {
  readonly ready: boolean;
  /** What is not there yet, as phrases: `1 of 3 pods ready`. Empty when ready. */
  readonly missing: readonly string[];
  /** What the reader should know although it is no fault. */
  readonly notes: readonly string[];
  readonly problems: readonly Problem[];
  /** When to look again although nothing changes, in milliseconds since the Unix epoch. */
  readonly lookAgainAt?: number | undefined;
}

export interface Cause extends Problem {
  /** When the problem was first seen, in milliseconds since the Unix epoch. */
  readonly since: number;
  /** When it was first certain: `since` and its grace. */
  readonly certainAt: number;
}

export type Verdict =
  | { readonly state: "ready"; readonly notes: readonly string[] }
  | {
      readonly state: "progressing";
      readonly missing: readonly string[];
      readonly notes: readonly string[];
    }
  | {
      readonly state: "failing";
      readonly cause: Cause;
      /** Milliseconds until it counts as failed; Infinity: only the deadline ends it. */
      readonly graceLeft: number;
      readonly missing: readonly string[];
      readonly notes: readonly string[];
    }
  | { readonly state: "failed"; readonly cause: Cause; readonly notes: readonly string[] };

/** When each problem was first seen, by key. */
export type FirstSeen = ReadonlyMap<string, number>;

/** Brings the record of first sightings up to date: new problems enter, those gone leave. */
export function sightings(before: FirstSeen, problems: readonly Problem[], now: number): FirstSeen {
  return new Map(problems.map(({ key }) => [key, before.get(key) ?? now]));
}

/**
 * Passes judgement on an assessment. A problem whose grace is over is a failure even while other
 * things look well; of several, the one that was certain first is the cause.
 */
export function judge(assessment: Assessment, seen: FirstSeen, now: number): Verdict {
  const { missing, notes, ready } = assessment;
  const causes = assessment.problems.map((problem): Cause => {
    const since = seen.get(problem.key) ?? now;
    return { ...problem, since, certainAt: since + problem.grace };
  });
  const [worst] = causes.sort((a, b) => a.certainAt - b.certainAt || a.since - b.since);
  if (worst !== undefined && worst.certainAt <= now)
    return { state: "failed", cause: worst, notes };
  if (ready) return { state: "ready", notes };
  if (worst === undefined) return { state: "progressing", missing, notes };
  return { state: "failing", cause: worst, graceLeft: worst.certainAt - now, missing, notes };
}

/** When the judgement may change although nothing else does; undefined when it cannot. */
export function nextLook(assessment: Assessment, seen: FirstSeen, now: number): number | undefined {
  const ends = assessment.problems.map(({ key, grace }) => (seen.get(key) ?? now) + grace);
  const times = [assessment.lookAgainAt ?? Infinity, ...ends].filter((time) => time > now);
  const first = Math.min(...times);
  return Number.isFinite(first) ? first : undefined;
}

export const READY: Assessment = { ready: true, missing: [], notes: [], problems: [] };

/** An assessment of something that is under way. */
export function underway(
  missing: readonly string[],
  more: Partial<Omit<Assessment, "ready" | "missing">> = {},
): Assessment {
  return { ready: false, missing, notes: [], problems: [], ...more };
}
