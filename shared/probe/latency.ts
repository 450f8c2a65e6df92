import { FormatError } from "../failure/index.ts";

/** What a percentile of the latencies of several requests must stay below. */
export interface LatencyLimit {
  /** More than 0, at most 100. */
  readonly percentile: number;
  /** Milliseconds. */
  readonly below: number;
  /** How many requests it is taken over; undefined when the text does not say. */
  readonly requests: number | undefined;
}

/** Latencies of several requests, in milliseconds. */
export interface Latencies {
  readonly requests: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

const FORM =
  /^(?<which>p\d+(?:\.\d+)?|median|max)\s*<\s*(?<number>\d+(?:\.\d+)?)\s*(?<unit>ms|s)(?:\s+over\s+(?<requests>\d+)\s+requests?)?$/;
const MOST_REQUESTS = 1_000;

/**
 * Reads `p95 < 300ms over 50 requests`; `median` is p50, `max` p100.
 *
 * @throws {FormatError}
 */
export function parseLatencyLimit(text: string): LatencyLimit {
  const found = FORM.exec(text.trim())?.groups;
  if (found === undefined) {
    throw new FormatError("it has another form than `p95 < 300ms over 50 requests`");
  }
  const { which = "", number, unit, requests } = found;
  const percentile = which === "median" ? 50 : which === "max" ? 100 : Number(which.slice(1));
  if (percentile <= 0 || percentile > 100) {
    throw new FormatError("a percentile is more than 0 and at most 100");
  }
  const below = Number(number) * (unit === "s" ? 1_000 : 1);
  if (below <= 0) throw new FormatError("no request takes less than no time");
  const count = requests === undefined ? undefined : Number(requests);
  if (count !== undefined && (count < 1 || count > MOST_REQUESTS)) {
    throw new FormatError(`the requests must be 1 to ${MOST_REQUESTS}`);
  }
  return { percentile, below, requests: count };
}

/**
 * The percentile by nearest rank: the smallest of the values that at least p percent of them do
 * not exceed. It is always one that was seen, and of few values a high percentile is the largest.
 *
 * Source: Hyndman and Fan, Sample Quantiles in Statistical Packages (1996), definition 1.
 */
export function percentile(sorted: readonly number[], p: number): number {
  // Multiplied first: 0.95 * 20 is more than 19.
  const rank = Math.ceil((p * sorted.length) / 100);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** The figures of a series; undefined when it is empty. */
export function latenciesOf(values: readonly number[]): Latencies | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const [min, median, p95, max] = [0, 50, 95, 100].map((p) => percentile(sorted, p));
  return {
    requests: sorted.length,
    min: min ?? Number.NaN,
    median: median ?? Number.NaN,
    p95: p95 ?? Number.NaN,
    max: max ?? Number.NaN,
  };
}

/** Which limits a series does not keep, as phrases. */
export function latencyMismatches(
  limits: readonly LatencyLimit[],
  values: readonly number[],
): readonly string[] {
  const sorted = values.toSorted((a, b) => a - b);
  return limits.flatMap(({ percentile: p, below }) => {
    const value = percentile(sorted, p);
    if (value < below) return [];
    const name = p === 100 ? "the slowest" : `p${p}`;
    const over = `${sorted.length} ${sorted.length === 1 ? "request" : "requests"}`;
    return [
      `${name} of ${over} took ${milliseconds(value)}, expected less than ${milliseconds(below)}`,
    ];
  });
}

/** With a decimal where whole milliseconds would say too little. */
export function milliseconds(value: number): string {
  return `${value < 10 ? Math.round(value * 10) / 10 : Math.round(value)} ms`;
}
