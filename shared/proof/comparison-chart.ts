import { type Html, html } from "../page/index.ts";
import { countInWords } from "../quantity/index.ts";
import type { Item } from "./finding.ts";

const WIDTH = 1000;
const LEFT = 260;
const RIGHT = 150;
const LANE = 26;
const BAR = 16;
const MOST = 40;

/**
 * A bar for each item: what was expected as an outline, what was found filled in. Those that differ
 * come first, then the largest. The scale is logarithmic, for tables differ by orders of magnitude.
 */
export function comparisonChart(items: readonly Item[], unit: string): Html | undefined {
  if (items.length === 0) return undefined;
  const shown = items
    .toSorted(
      (a, b) => Number(a.same !== false) - Number(b.same !== false) || sizeOf(b) - sizeOf(a),
    )
    .slice(0, MOST);
  const most = Math.max(...shown.map(sizeOf), 1);
  const x = (count: number) =>
    (Math.log10(count + 1) / Math.log10(most + 1)) * (WIDTH - LEFT - RIGHT);
  const height = shown.length * LANE + 24;
  const rest = items.length - shown.length;
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${unit} expected and found, for ${shown.length} of ${items.length}">
${shown.map((item, index) => lane(item, index * LANE, x))}
<text class="soft small" x="${LEFT}" y="${height - 6}">${unit}, on a logarithmic scale${rest > 0 ? `; ${countInWords(rest)} more are in the table` : ""}</text>
</svg>`;
}

function sizeOf({ expected, found }: Item): number {
  return Math.max(expected ?? 0, found ?? 0);
}

function lane(item: Item, top: number, x: (count: number) => number): Html {
  const { name, expected, found, same } = item;
  const tone = same === undefined ? "idle" : same ? "good" : "bad";
  const filled = found === undefined ? 0 : x(found);
  const outline =
    expected === undefined || expected === found
      ? ""
      : html`<rect x="${LEFT}" y="${top}" width="${px(Math.max(x(expected), 2))}" height="${BAR}" rx="3" fill="none" class="grid"/>`;
  return html`<g><title>${name}: ${words(item)}</title>
<text x="${LEFT - 10}" y="${top + 12.5}" text-anchor="end">${shortened(name)}</text>
<rect class="${tone}" x="${LEFT}" y="${top}" width="${px(Math.max(filled, 2))}" height="${BAR}" rx="3"/>${outline}
<text class="soft small" x="${px(LEFT + Math.max(filled, expected === undefined ? 0 : x(expected)) + 8)}" y="${top + 12.5}">${words(item)}</text></g>`;
}

function words({ expected, found, same }: Item): string {
  if (found === undefined)
    return expected === undefined ? "not known" : `${countInWords(expected)} expected`;
  if (expected !== undefined && expected !== found) {
    return `${countInWords(found)} of ${countInWords(expected)}`;
  }
  return same === false ? `${countInWords(found)}, other contents` : countInWords(found);
}

function shortened(name: string): string {
  return name.length <= 38 ? name : `${name.slice(0, 18)}…${name.slice(-18)}`;
}

function px(value: number): string {
  return value.toFixed(1);
}
