import type { Finding } from "../proof/index.ts";
import { bytesInWords, countInWords } from "../quantity/index.ts";
import { median } from "./freshness.ts";

/** What a backup measured, of those that are compared. */
export interface TrendSample {
  readonly id: string;
  /** `rows`, `bytes`, `tables`, `objects`: as its manifest has them. */
  readonly measures: Readonly<Record<string, number>>;
  /** Rows, documents, keys by the name of their table, index or database; those that are known. */
  readonly items: Readonly<Record<string, number>>;
}

export interface TrendSettings {
  /** By how many percent a measure may be below the median of the earlier ones. */
  readonly tolerance: number;
}

export interface TrendExamination {
  readonly findings: readonly Finding[];
  readonly unknown: readonly string[];
}

/** So many of the newest are compared: older ones tell of another time. */
const COMPARED = 10;
/** What is within so many of the usual deviations is no surprise, however large it is. */
const DEVIATIONS = 5;
/** Makes the median of deviations comparable with a standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
/** Fewer than these may come and go. */
const FEWEST_ROWS = 20;

/**
 * Compares a backup with the earlier ones of its series: by the median, so that one odd backup
 * among them does not count, and by their usual deviation, so that what always moves is no
 * surprise. What became much less is a doubt; what became much more, a note.
 *
 * @param earlier oldest first.
 */
export function judgeTrend(
  current: TrendSample,
  earlier: readonly TrendSample[],
  settings: TrendSettings,
): TrendExamination {
  const compared = earlier.filter(({ id }) => id !== current.id).slice(-COMPARED);
  if (compared.length === 0) {
    return {
      findings: [],
      unknown: [
        "Whether its size is what it usually is: there is no earlier backup to compare with.",
      ],
    };
  }
  const measures = Object.entries(current.measures).flatMap(([name, value]) => {
    const before = compared.flatMap((each) => each.measures[name] ?? []);
    return judgeOne({ subject: name, value, before, isItem: false }, settings);
  });
  const names = new Set(compared.flatMap(({ items }) => Object.keys(items)));
  const items = [...names].sort().flatMap((name) => {
    const value = current.items[name];
    const before = compared.flatMap((each) => each.items[name] ?? []);
    return value === undefined
      ? []
      : judgeOne({ subject: name, value, before, isItem: true }, settings);
  });
  return { findings: [...measures, ...items], unknown: [] };
}

interface Compared {
  readonly subject: string;
  readonly value: number;
  readonly before: readonly number[];
  readonly isItem: boolean;
}

function judgeOne(
  { subject, value, before, isItem }: Compared,
  { tolerance }: TrendSettings,
): Finding[] {
  if (before.length === 0) return [];
  const usual = median(before);
  const spread = median(before.map((each) => Math.abs(each - usual))) * MAD_TO_DEVIATION;
  const allowed = Math.max((usual * Math.min(tolerance, 100)) / 100, DEVIATIONS * spread);
  if (isItem && usual < FEWEST_ROWS) return [];
  const words = (number: number) =>
    subject === "bytes" ? bytesInWords(number) : countInWords(number);
  const those =
    before.length === 1 ? "the backup before it" : `the ${before.length} before it (median)`;
  const facts = {
    ...({ detector: "trend", tier: "integrity" } as const),
    subject: isItem ? subject : `measure ${subject}`,
    ...{ expected: words(usual), found: words(value) },
  };
  const named = isItem
    ? `${subject} has ${words(value)} rows`
    : `It has ${words(value)}${subject === "bytes" ? "" : ` ${subject}`}`;
  // A measure that falls to nothing is beyond every tolerance.
  const isEmptied = value === 0 && usual > 0 && before.every((each) => each > 0);
  if (isEmptied || value < usual - allowed) {
    const percent = Math.floor((100 * (usual - value)) / usual);
    const what = `${named}, where ${those} had ${words(usual)}: ${percent}% less.`;
    return [{ ...facts, weight: "doubt", what }];
  }
  if (isItem || value <= usual + Math.max((usual * tolerance) / 100, DEVIATIONS * spread))
    return [];
  if (value < 2 * usual) return [];
  const what = `${named}, where ${those} had ${words(usual)}.`;
  return [{ ...facts, weight: "note", what }];
}
