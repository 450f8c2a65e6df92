import type { Clock } from "../world/index.ts";

/** A stretch of the work, for the timeline. Times in milliseconds since the run began. */
export interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

/** Writes down what was done and how long each part took. */
export class Journal {
  readonly #clock: Clock;
  readonly #began: number;
  readonly #phases: Phase[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.now();
  }

  /** Does a part of the work and notes its time, also when it fails. */
  async phase<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = this.elapsed();
    let failed = true;
    try {
      const result = await work();
      failed = false;
      return result;
    } finally {
      this.#phases.push({ name, from, to: this.elapsed(), failed });
    }
  }

  /** Says that the last phase came to nothing although no error was thrown. */
  markFailed(): void {
    const last = this.#phases.pop();
    if (last !== undefined) this.#phases.push({ ...last, failed: true });
  }

  get phases(): readonly Phase[] {
    return this.#phases;
  }

  /** Milliseconds since the run began. */
  elapsed(): number {
    return this.#clock.now() - this.#began;
  }
}
