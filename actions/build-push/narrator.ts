import type { BuildEvent } from "../../shared/buildkit/index.ts";
import type { Clock, Log } from "../../shared/world/index.ts";

const SILENCE_MS = 20_000;
// The name of BuildKit's rule. A registry holds such an image as well as any, so it stays the one sign.
const OTHER_PLATFORM = "InvalidBaseImagePlatform";

/** What one build does now, for the lines that break a long silence. */
interface Ongoing {
  readonly since: number;
  last: number;
  step: string;
}

/** Tells in the log how the builds get on: each step, what it printed, and what takes long. */
export class Narrator {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #ongoing = new Map<string, Ongoing>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  begin(service: string): void {
    const now = this.#clock.now();
    this.#ongoing.set(service, { since: now, last: now, step: "no step done yet" });
  }

  tell(service: string, event: BuildEvent): void {
    const ongoing = this.#ongoing.get(service);
    if (ongoing !== undefined) ongoing.last = this.#clock.now();
    if (event.kind === "warning" && event.text.startsWith(OTHER_PLATFORM)) {
      this.#log.warning(
        `${event.text}. The image says that it is for a platform for which its base is not made: its programs may not start there.`,
        `${service}: the base image is for another platform`,
      );
      return;
    }
    const line = lineOf(event);
    if (line !== undefined) this.#log.info(`${service}: ${line}`);
    if (event.kind === "step" && ongoing !== undefined) {
      ongoing.step = `${event.done} of ${event.total} steps done`;
    }
  }

  end(service: string): void {
    this.#ongoing.delete(service);
  }

  /** Speaks up for builds that were silent for long, until the signal aborts. */
  async breakSilence(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(SILENCE_MS / 4, signal).catch(() => {});
      const now = this.#clock.now();
      for (const [service, ongoing] of this.#ongoing) {
        if (signal.aborted || now - ongoing.last < SILENCE_MS) continue;
        ongoing.last = now;
        this.#log.info(
          `${service}: still building, ${ongoing.step}, ${seconds(now - ongoing.since)} so far`,
        );
      }
    }
  }
}

function lineOf(event: BuildEvent): string | undefined {
  if (event.kind === "output") return `  | ${event.text}`;
  if (event.kind === "pushed") return `pushed ${event.reference}`;
  if (event.kind === "warning") {
    return `warning${event.line === undefined ? "" : ` (line ${event.line})`}: ${event.text}`;
  }
  if (event.kind === "again") {
    return `pushing again in ${seconds(event.waitMilliseconds)}: ${event.why}`;
  }
  const took = event.cached ? "cached" : seconds(event.milliseconds);
  return `step ${event.done} of ${event.total}, ${took}: ${event.name}`;
}

/** `12.3 s`, `2 min 5 s`. */
export function seconds(milliseconds: number): string {
  if (milliseconds < 100_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const whole = Math.round(milliseconds / 1_000);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
