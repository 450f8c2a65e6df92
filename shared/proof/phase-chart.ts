import { type Html, html } from "../page/index.ts";
import { secondsInWords } from "../quantity/index.ts";
import type { VerificationPhase } from "./verification.ts";

const WIDTH = 1000;
const LEFT = 200;
const RIGHT = 90;
const LANE = 26;

/** A bar for each phase on one axis of time. */
export function phaseChart(phases: readonly VerificationPhase[]): Html | undefined {
  if (phases.length === 0) return undefined;
  const end = Math.max(...phases.map(({ to }) => to), 1);
  const x = (milliseconds: number) => LEFT + (milliseconds / end) * (WIDTH - LEFT - RIGHT);
  const bars = phases.map(({ name, from, to, failed }, index) => {
    const width = Math.max(x(to) - x(from), 2);
    const seconds = secondsInWords((to - from) / 1_000);
    return html`<g><title>${name}: ${seconds}</title>
<text x="${LEFT - 10}" y="${index * LANE + 12.5}" text-anchor="end">${name}</text>
<rect class="${failed ? "bad" : "calm"}" x="${x(from).toFixed(1)}" y="${index * LANE}" width="${width.toFixed(1)}" height="16" rx="3"/>
<text class="soft small" x="${(x(from) + width + 6).toFixed(1)}" y="${index * LANE + 12.5}">${seconds}</text></g>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${phases.length * LANE}" role="img" aria-label="Phases over ${secondsInWords(end / 1_000)}">${bars}</svg>`;
}
