import { type Html, html } from "../../shared/page/index.ts";
import type { Beat, FaultResult, PodSpan, StepSpan } from "../result.ts";

const WIDTH = 1000;
const LEFT = 190;
const RIGHT = 16;
const TOP = 44;
const LANE = 26;
const BAR = 16;
const TRAFFIC = 64;
const MARK_WORDS_PX = 118;

/** From seconds to the picture's units. */
type Scale = (seconds: number) => number;

/** A picture of what happened at the same time: the workflow, the pods, and the client's requests. */
export function timeline(result: FaultResult): Html {
  const beats = result.traffic.beats;
  const end = Math.max(result.endedAt, ...result.pods.flatMap(ends)) + 0.5;
  const x: Scale = (seconds) =>
    LEFT + (Math.min(Math.max(seconds, 0), end) / end) * (WIDTH - LEFT - RIGHT);
  const podsTop = TOP + LANE;
  const trafficTop = podsTop + result.pods.length * LANE + 10;
  const bottom = trafficTop + TRAFFIC;
  const height = bottom + 26;
  const words = `Timeline of version ${result.version}: the workflow, the pods and the requests of a client over ${end.toFixed(0)} seconds`;
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${words}">
${axis(end, x, bottom)}
${label("Workflow", TOP)}
${result.steps.map((step) => stepBar(step, result, x))}
${result.pods.map((pod, index) => podLane(pod, podsTop + index * LANE, x))}
${label("Requests each half second", trafficTop + TRAFFIC - LANE)}
${traffic(beats, trafficTop, x)}
${marks(result, x, bottom)}
</svg>`;
}

function ends({ states }: PodSpan): number[] {
  return states.map(({ to }) => to);
}

function axis(end: number, x: Scale, bottom: number): Html[] {
  const step = [1, 2, 5, 10, 20, 30, 60].find((candidate) => end / candidate <= 12) ?? 120;
  const count = Math.floor(end / step) + 1;
  return Array.from({ length: count }, (_, index) => {
    const seconds = index * step;
    return html`<line class="grid" x1="${px(x(seconds))}" x2="${px(x(seconds))}" y1="${TOP - 6}" y2="${bottom}"/>
<text class="soft small" x="${px(x(seconds))}" y="${bottom + 16}" text-anchor="middle">${seconds} s</text>`;
  });
}

function label(text: string, top: number): Html {
  return html`<text x="${LEFT - 12}" y="${top + 13}" text-anchor="end">${text}</text>`;
}

function stepBar({ name, from, to, passed }: StepSpan, result: FaultResult, x: Scale): Html {
  if (passed) return bar(from, to, TOP, "calm", name, x);
  const turn = result.verdictAt ?? to;
  return html`${bar(from, turn, TOP, "calm", name, x)}${bar(turn, to, TOP, "warn", "rolling back", x)}`;
}

function podLane({ name, version, states }: PodSpan, top: number, x: Scale): Html {
  const short = name.split("-").slice(-1).join("");
  return html`${label(`Pod …${short}, ${version}`, top)}
${states.map(({ state, ready, from, to }) => bar(from, to, top, tone(state, ready), state, x))}`;
}

function tone(state: string, ready: boolean): string {
  if (ready) return "good";
  return /^(Pending|Running|ContainerCreating|PodInitializing|Terminating|Succeeded)$/.test(state)
    ? "idle"
    : "bad";
}

/** A stretch of time; its words are left out where they do not fit. */
function bar(from: number, to: number, top: number, tone: string, words: string, x: Scale): Html {
  const width = Math.max(x(to) - x(from), 1);
  const fits = width > words.length * 6.2 + 10;
  const text = fits
    ? html`<text class="small" x="${px(x(from) + 6)}" y="${top + 12.5}">${words}</text>`
    : "";
  return html`<g><title>${words}: ${from.toFixed(1)} s to ${to.toFixed(1)} s</title><rect class="${tone}" x="${px(x(from))}" y="${top}" width="${px(width)}" height="${BAR}" rx="3"/>${text}</g>`;
}

function traffic(beats: readonly Beat[], top: number, x: Scale): Html[] {
  const most = Math.max(1, ...beats.map(({ answered, failed }) => answered + failed));
  return beats.map(({ at, answered, failed }, index) => {
    const from = beats[index - 1]?.at ?? at - 0.5;
    const width = Math.max(x(at) - x(from) - 1, 1);
    const tall = (count: number) => (count / most) * (TRAFFIC - 12);
    const base = top + TRAFFIC;
    const good = html`<rect class="good" x="${px(x(from))}" y="${px(base - tall(answered))}" width="${px(width)}" height="${px(tall(answered))}"/>`;
    if (failed === 0) return good;
    const height = Math.max(tall(failed), 3);
    return html`${good}<rect class="bad" x="${px(x(from))}" y="${px(base - tall(answered) - height)}" width="${px(width)}" height="${px(height)}"/>`;
  });
}

function marks(result: FaultResult, x: Scale, bottom: number): Html[] {
  const wanted = [
    { at: result.seenAt, name: "cause visible", className: "seen", anchor: "end" },
    { at: result.verdictAt, name: "verdict", className: "verdict", anchor: "start" },
    { at: result.endedAt, name: "rolled back", className: "over", anchor: "start" },
  ];
  let free = 0;
  const placed = wanted.flatMap(({ at, name, className, anchor }) => {
    if (at === undefined) return [];
    const place = x(at);
    // Near the right edge, or on top of the words before, they go to the other side or line.
    const side = place > WIDTH - MARK_WORDS_PX ? "end" : anchor;
    const from = side === "end" ? place - MARK_WORDS_PX : place;
    const y = from < free ? 12 : 28;
    free = Math.max(free, from + MARK_WORDS_PX);
    return [{ place, side, y, className, words: `${name} ${at.toFixed(1)} s` }];
  });
  const lines = placed.map(
    ({ place, y, className }) =>
      html`<line class="mark ${className}" x1="${px(place)}" x2="${px(place)}" y1="${y + 4}" y2="${bottom}"/>`,
  );
  // Words come last, for they cover the lines of others.
  const words = placed.map(
    ({ place, side, y, className, words }) =>
      html`<text class="small ${className}" x="${px(place + (side === "end" ? -5 : 5))}" y="${y}" text-anchor="${side}">${words}</text>`,
  );
  return [...lines, ...words];
}

function px(value: number): string {
  return value.toFixed(1);
}
