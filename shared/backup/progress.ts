import { bytesInWords, secondsInWords } from "../quantity/index.ts";
import type { World } from "../world/index.ts";

const EVERY_MS = 10_000;
/** The rate is that of the last so many lines, so that it follows what happens now. */
const SAMPLES = 6;

/** How far something has come at a moment. */
export interface Sample {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly bytes: number;
}

export interface ProgressState {
  /** Such as `Backed up`. */
  readonly deed: string;
  /** Oldest first; the last is now. */
  readonly samples: readonly Sample[];
  /** Undefined where nobody knows. */
  readonly total: number | undefined;
  /** Whether the total is a guess by what was before. */
  readonly isGuess: boolean;
  /** What is at work now. */
  readonly parts: readonly string[];
}

/** `Backed up 1.2 GB of about 4 GB (30%), 110 MB/s, 25 s left: dump.pgdump`. */
export function progressLine({ deed, samples, total, isGuess, parts }: ProgressState): string {
  const first = samples[0];
  const last = samples.at(-1);
  const done = last?.bytes ?? 0;
  const seconds = first && last ? (last.at - first.at) / 1_000 : 0;
  const rate = first && seconds > 0 ? (done - first.bytes) / seconds : undefined;
  // A guess that was passed says nothing any more.
  const whole = total !== undefined && total > 0 && (!isGuess || total > done) ? total : undefined;
  const words = [
    `${deed} ${bytesInWords(done)}${whole === undefined ? "" : ofWhole(done, whole, isGuess)}`,
  ];
  if (rate !== undefined) words.push(rate > 0 ? `${bytesInWords(rate)}/s` : "nothing moves now");
  if (whole !== undefined && rate !== undefined && rate > 0 && whole > done) {
    words.push(`${isGuess ? "about " : ""}${secondsInWords(roughly((whole - done) / rate))} left`);
  }
  return `${words.join(", ")}${parts.length === 0 ? "" : `: ${named(parts)}`}`;
}

function ofWhole(done: number, whole: number, isGuess: boolean): string {
  const percent = Math.min(100, Math.floor((100 * done) / whole));
  return ` of ${isGuess ? "about " : ""}${bytesInWords(whole)} (${percent}%)`;
}

function roughly(seconds: number): number {
  return seconds < 10 ? Math.max(1, Math.round(seconds)) : Math.round(seconds / 5) * 5;
}

function named(parts: readonly string[]): string {
  const more = parts.length - 3;
  return `${parts.slice(0, 3).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Counts bytes, and tells the log how far it is every 10 seconds until it is disposed of. */
export class Progress implements Disposable {
  readonly #world: Pick<World, "clock" | "log">;
  readonly #deed: string;
  readonly #samples: Sample[];
  readonly #parts = new Set<string>();
  readonly #ended = new AbortController();
  #bytes = 0;
  #total: number | undefined;
  #isGuess = true;

  /** @param guess how many bytes there may be in all, by what was before. */
  constructor(deed: string, guess: number | undefined, world: Pick<World, "clock" | "log">) {
    this.#world = world;
    this.#deed = deed;
    this.#total = guess;
    this.#samples = [{ at: world.clock.now(), bytes: 0 }];
    void this.#tell();
  }

  expect(bytes: number): void {
    this.#total = bytes;
    this.#isGuess = false;
  }

  begin(part: string): void {
    this.#parts.add(part);
  }

  end(part: string): void {
    this.#parts.delete(part);
  }

  readonly add = (bytes: number): void => {
    this.#bytes += bytes;
  };

  async #tell(): Promise<void> {
    const { clock, log } = this.#world;
    try {
      for (;;) {
        await clock.sleep(EVERY_MS, this.#ended.signal);
        this.#samples.push({ at: clock.now(), bytes: this.#bytes });
        if (this.#samples.length > SAMPLES) this.#samples.shift();
        log.info(progressLine(this.#state()));
      }
    } catch (error) {
      if (!this.#ended.signal.aborted) throw error;
    }
  }

  #state(): ProgressState {
    return {
      ...{ deed: this.#deed, samples: this.#samples, total: this.#total },
      ...{ isGuess: this.#isGuess, parts: [...this.#parts] },
    };
  }

  [Symbol.dispose](): void {
    this.#ended.abort();
  }
}
