import { type Html, html } from "../page/index.ts";
import { bytesInWords, secondsInWords } from "../quantity/index.ts";
import type { TrendPoint } from "./verification.ts";

const WIDTH = 1000;
const LEFT = 90;
const RIGHT = 20;
const TALL = 120;
const GAP = 34;
const MOST = 60;

/** Two rows of bars over the backups, oldest first: their size, and how long each took to restore. */
export function trendChart(trend: readonly TrendPoint[]): Html | undefined {
  const shown = trend.slice(-MOST);
  if (shown.length < 2) return undefined;
  const sizes = row(shown, 0, "Size", ({ bytes }) => bytes, bytesInWords);
  const measured = shown.some(({ restoreSeconds }) => restoreSeconds !== undefined);
  const times = measured
    ? row(shown, TALL + GAP, "To restore", ({ restoreSeconds }) => restoreSeconds, secondsInWords)
    : html``;
  const height = (measured ? 2 : 1) * (TALL + GAP);
  const first = shown[0]?.taken.slice(0, 10) ?? "";
  const last = shown.at(-1)?.taken.slice(0, 10) ?? "";
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Size and time to restore of ${shown.length} backups from ${first} to ${last}">
${sizes}${times}
<text class="soft small" x="${LEFT}" y="${height - 8}">${first}</text>
<text class="soft small" x="${WIDTH - RIGHT}" y="${height - 8}" text-anchor="end">${last}</text>
</svg>`;
}

function row(
  points: readonly TrendPoint[],
  top: number,
  name: string,
  measure: (point: TrendPoint) => number | undefined,
  inWords: (value: number) => string,
): Html {
  const most = Math.max(...points.map((point) => measure(point) ?? 0), Number.MIN_VALUE);
  const step = (WIDTH - LEFT - RIGHT) / points.length;
  const bars = points.map((point, index) => {
    const value = measure(point);
    const tall = ((value ?? 0) / most) * (TALL - 20);
    const words = `${point.backup}: ${value === undefined ? "not measured" : inWords(value)}${verdictWords(point)}`;
    return html`<g><title>${words}</title><rect class="${tone(point)}" x="${(LEFT + index * step).toFixed(1)}" y="${(top + TALL - tall).toFixed(1)}" width="${Math.max(step - 3, 1).toFixed(1)}" height="${Math.max(tall, 1).toFixed(1)}"/></g>`;
  });
  return html`<text x="${LEFT - 10}" y="${top + TALL}" text-anchor="end">${name}</text>
<text class="soft small" x="${LEFT - 10}" y="${top + 24}" text-anchor="end">${inWords(most)}</text>
${bars}`;
}

function tone({ verdict }: TrendPoint): string {
  if (verdict === undefined) return "idle";
  return verdict === "passed" ? "good" : "bad";
}

function verdictWords({ verdict }: TrendPoint): string {
  return verdict === undefined ? ", never verified" : `, ${verdict}`;
}
