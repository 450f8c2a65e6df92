import type { World } from "../../world/index.ts";
import type { Verdict } from "../verdict/index.ts";
import type { Tracker } from "./tracker.ts";

/** Above so many targets, not every change is told, but troubles, and counts. */
const MANY = 25;
/** Of many targets, so many troubles are told one by one. */
const MOST_TROUBLES = 25;
/** How often the count of many targets is told, at most. */
const COUNT_MS = 5_000;
const NAMES = 3;
const GROUPS = 5;

type State = Verdict["state"];

/**
 * Tells of a rollout in the log: every change of a few targets; of many, what is in trouble, and
 * how many are ready.
 */
export class Narrator {
  readonly #log: World["log"];
  readonly #many: boolean;
  /** The state in which a target was last told of. */
  readonly #told = new Map<Tracker, State>();
  #troubles = 0;
  #untold = 0;
  #readyTold = 0;
  #countAt = 0;

  constructor(log: World["log"], targets: number) {
    this.#log = log;
    this.#many = targets > MANY;
  }

  /** A target has something new to tell. */
  changed(tracker: Tracker, words: string): void {
    if (!this.#many || this.#isWorthALine(tracker)) this.#log.info(`${tracker.name}: ${words}`);
  }

  /** All targets were looked at. */
  looked(trackers: readonly Tracker[], now: number): void {
    if (!this.#many || now < this.#countAt) return;
    const ready = trackers.filter(({ verdict }) => verdict.state === "ready").length;
    if (ready === this.#readyTold) return;
    this.#countAt = now + COUNT_MS;
    this.#readyTold = ready;
    this.#log.info(`${ready} of ${trackers.length} ready`);
  }

  /** What is missing, and how much time is left for it. */
  heartbeat(trackers: readonly Tracker[], secondsLeft: number, away: boolean): void {
    const waiting = trackers.filter(({ verdict }) => verdict.state !== "ready");
    const rest = `${secondsLeft} s left${away ? "; the API server is away" : ""}`;
    if (!this.#many) {
      const lines = waiting.map(({ name, missing }) => `${name} (${missing})`);
      this.#log.info(`Still waiting for ${lines.join(", ")}; ${rest}`);
      return;
    }
    const more = this.#untold > 0 ? `; ${this.#untold} more troubles than are told above` : "";
    this.#log.info(
      `Still waiting for ${waiting.length} of ${trackers.length}: ${grouped(waiting)}${more}; ${rest}`,
    );
  }

  /** Of many targets, troubles and what becomes of them. */
  #isWorthALine(tracker: Tracker): boolean {
    const { state } = tracker.verdict;
    const before = this.#told.get(tracker);
    if (state === "failing" || state === "failed") {
      if (this.#troubles >= MOST_TROUBLES && state === "failing") {
        this.#untold += 1;
        return false;
      }
      this.#troubles += 1;
      this.#told.set(tracker, state);
      return true;
    }
    // Whoever read of its trouble should read of its end.
    if (before === undefined || before === state || state !== "ready") return false;
    this.#told.set(tracker, state);
    return true;
  }
}

/** Targets that miss the same, counted, with the names of some. */
export function grouped(waiting: readonly Pick<Tracker, "name" | "missing">[]): string {
  const groups = new Map<string, { readonly missing: string; readonly names: string[] }>();
  for (const { name, missing } of waiting) {
    const key = kindOf(missing);
    const group = groups.get(key) ?? { missing, names: [] };
    group.names.push(name);
    groups.set(key, group);
  }
  const sorted = [...groups.values()].sort((a, b) => b.names.length - a.names.length);
  const told = sorted.slice(0, GROUPS).map(({ missing, names }) => {
    const like = names.length === 1 ? missing : `like "${missing}"`;
    return `${names.length} ${like} (${listed(names, NAMES)})`;
  });
  const rest = sorted.slice(GROUPS).reduce((sum, { names }) => sum + names.length, 0);
  return [...told, ...(rest > 0 ? [`${rest} for other reasons`] : [])].join("; ");
}

/** The first names, and how many more there are. */
export function listed(names: readonly string[], most: number): string {
  const more = names.length - most;
  return [...names.slice(0, most), ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

/** What is missing, without counts and the names of pods, which differ from one to the next. */
function kindOf(missing: string): string {
  const first = missing.split("; ")[0] ?? "";
  return first.replace(/\bpod \S+/g, "pod").replace(/\d+/g, "#");
}
