import { UserError } from "../failure/index.ts";
import { holds, type Tier } from "../proof/index.ts";

/** Grandfather, father, son: how many are kept, of the newest and of each period. */
export interface KeepSettings {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
}

const RULES = ["last", "hourly", "daily", "weekly", "monthly", "yearly"] as const;
const MOST = 100_000;

/**
 * Reads `last=3 daily=7 weekly=5 monthly=12 yearly=3`; `all` keeps everything, and is undefined.
 *
 * @throws {UserError} for any other text, and where nothing would be kept by it.
 */
export function parseKeep(text: string): KeepSettings | undefined {
  const words = text.trim().split(/[\s,]+/);
  if (words.length === 1 && words[0] === "all") return undefined;
  const given = new Map<string, number>();
  for (const word of words) {
    const [, rule = "", count = ""] = /^(?:keep-)?([a-z]+)[=:](\d+)$/.exec(word) ?? [];
    const known = RULES.some((each) => each === rule);
    if (!known || given.has(rule) || Number(count) > MOST) throw noRule(text, word);
    given.set(rule, Number(count));
  }
  const of = (rule: (typeof RULES)[number]) => given.get(rule) ?? 0;
  if (!RULES.some((rule) => of(rule) > 0)) throw noRule(text, text);
  return {
    ...{ last: of("last"), hourly: of("hourly"), daily: of("daily") },
    ...{ weekly: of("weekly"), monthly: of("monthly"), yearly: of("yearly") },
  };
}

function noRule(text: string, word: string): UserError {
  return new UserError({
    title: "No rule of retention",
    cause: `"${text.slice(0, 200)}" does not say what is kept: "${word.slice(0, 60)}" is no rule, comes twice, or keeps nothing.`,
    remedy:
      "Write such as `last=3 daily=7 weekly=5 monthly=12 yearly=3`, with at least one of them above 0, or `all`.",
  });
}

/** A backup as retention sees it. */
export interface KeepCandidate {
  readonly id: string;
  /** In milliseconds since the Unix epoch. */
  readonly began: number;
  readonly isComplete: boolean;
  /** The deepest tier that a verification of it passed, no later one having found damage. */
  readonly proven: Tier | undefined;
  /** Whether a verification found damage, and no later one passed. */
  readonly isDamaged: boolean;
  /** Of any of its files, in milliseconds since the Unix epoch. */
  readonly lockedUntil: number | undefined;
  /** When anything of it was last written. */
  readonly touched: number;
  /** Why it is not known well enough to be judged. */
  readonly unknown: string | undefined;
}

export interface KeepDecision {
  readonly id: string;
  readonly keep: boolean;
  /** Why it is kept, a phrase each; none where it is not. */
  readonly reasons: readonly string[];
}

/** Clocks of runners differ by less. */
const CLOCK_TOLERANCE_MS = 3_600_000;

/** A backup without a manifest may be one that is being written, for so long. */
const YOUNG_MS = 6 * 24 * 3_600_000;

/**
 * Decides which backups of a series are kept. Of each period, in UTC, the newest one is; periods
 * without any do not count. Never deleted are the newest, the last that was proven at each tier, the
 * one that was just written, what is locked, what may still be written, and what is not known. One of
 * the future, by some clock that was wrong, stays for people to look at, and takes nobody's place.
 *
 * @param written the id of the backup that this run wrote.
 */
export function judgeKeep(
  backups: readonly KeepCandidate[],
  settings: KeepSettings,
  now: number,
  written?: string,
): readonly KeepDecision[] {
  const reasons = new Map<string, string[]>(backups.map(({ id }) => [id, []]));
  const keep = (id: string, why: string) => reasons.get(id)?.push(why);
  const all = backups
    .filter(({ isComplete }) => isComplete)
    .toSorted((a, b) => b.began - a.began || (a.id < b.id ? 1 : -1));
  const complete = all.filter(({ began }) => began <= now + CLOCK_TOLERANCE_MS);
  for (const { id } of all.filter((each) => !complete.includes(each)))
    keep(id, "of the future: a clock was wrong");
  const [newest] = complete;
  if (newest !== undefined) keep(newest.id, "the newest");
  if (written !== undefined) keep(written, "just written");
  for (const [id, why] of lastProven(all)) keep(id, why);
  keepByRules(complete, settings, keep);
  // A damaged one is not to stand in the place of one that could be restored.
  const sound = complete.filter(({ isDamaged }) => !isDamaged);
  if (sound.length < complete.length) keepByRules(sound, settings, keep);
  for (const each of backups) for (const why of ownReasons(each, now)) keep(each.id, why);
  return backups.map(({ id }) => {
    const why = [...new Set(reasons.get(id))];
    return { id, keep: why.length > 0, reasons: why };
  });
}

function lastProven(complete: readonly KeepCandidate[]): [id: string, why: string][] {
  const tiers: readonly Tier[] = ["full", "data", "integrity"];
  const found = new Map<string, string>();
  for (const tier of tiers) {
    const last = complete.find(({ proven }) => proven !== undefined && holds(proven, tier));
    if (last !== undefined && !found.has(last.id))
      found.set(last.id, `the last proven at tier ${tier}`);
  }
  return [...found];
}

function ownReasons(each: KeepCandidate, now: number): string[] {
  const { isComplete, touched, lockedUntil, unknown, began } = each;
  const reasons: string[] = [];
  if (unknown !== undefined) reasons.push(unknown);
  if (lockedUntil !== undefined && lockedUntil > now) {
    reasons.push(`locked until ${new Date(lockedUntil).toISOString()}`);
  }
  if (!isComplete && Math.max(began, touched) > now - YOUNG_MS) {
    reasons.push("not finished, and may still be written");
  }
  return reasons;
}

/** @param complete newest first. */
function keepByRules(
  complete: readonly KeepCandidate[],
  settings: KeepSettings,
  keep: (id: string, why: string) => void,
): void {
  complete.slice(0, settings.last).forEach(({ id }, at) => {
    keep(id, `last ${at + 1} of ${settings.last}`);
  });
  for (const rule of ["hourly", "daily", "weekly", "monthly", "yearly"] as const) {
    const periods = new Set<string>();
    for (const { id, began } of complete) {
      if (periods.size >= settings[rule]) break;
      const period = PERIOD_OF[rule](new Date(began).toISOString(), began);
      if (periods.has(period)) continue;
      periods.add(period);
      keep(id, `${rule} ${periods.size} of ${settings[rule]} (${period})`);
    }
  }
}

const DAY_MS = 86_400_000;

const PERIOD_OF = {
  hourly: (iso: string) => `${iso.slice(0, 13)}h`,
  daily: (iso: string) => iso.slice(0, 10),
  weekly: (_: string, time: number) => weekOf(time),
  monthly: (iso: string) => iso.slice(0, 7),
  yearly: (iso: string) => iso.slice(0, 4),
} as const;

/** By ISO 8601: weeks begin on Monday, and belong to the year that has their Thursday. */
function weekOf(time: number): string {
  const weekday = (new Date(time).getUTCDay() + 6) % 7;
  const thursday = new Date(time + (3 - weekday) * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
