/** One figure that a bench found. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The most that it may be; undefined for what is only told. */
  readonly target: number | undefined;
  /** Whether the target is the most that it may be, as it is unless said, or the least. */
  readonly bound?: "most" | "least";
}

/** Measures; tells people meanwhile how it gets on. */
export type Bench = (log: (line: string) => void) => Promise<readonly Result[]>;

/** Prints the table and the line of JSON; gives whether every target was met. */
export function tell(bench: string, results: readonly Result[]): boolean {
  const rows = results.map((result) => [
    result.name,
    `${format(result.value)} ${result.unit}`,
    result.target === undefined
      ? ""
      : `at ${result.bound ?? "most"} ${format(result.target)} ${result.unit}`,
    result.target === undefined ? "" : met(result) ? "met" : "MISSED",
  ]);
  console.log(`\n${columns([["What", "Value", "Target", ""], ...rows])}\n`);
  const machine = results.map((result) => ({
    ...result,
    target: result.target ?? null,
    met: met(result),
  }));
  console.log(JSON.stringify({ bench, results: machine }));
  return results.every(met);
}

function met({ value, target, bound }: Result): boolean {
  if (target === undefined) return true;
  return bound === "least" ? value >= target : value <= target;
}

/** The middle one; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}

/** Three significant digits of small numbers, all of great ones. */
function format(value: number): string {
  return value >= 100
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(3)));
}

/** Rows of text in columns; the first is on the left, the others on the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return lines.join("\n");
}
