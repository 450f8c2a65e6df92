import type { Finding, Tier } from "../../proof/index.ts";

/** What is to be restored, and how. */
export interface RestoreOptions {
  /** `data` leaves out indexes, constraints, triggers and all else that comes after the rows. */
  readonly tier: Exclude<Tier, "integrity">;
  /** The database, which has to be there and empty. */
  readonly database: string;
  /** Connections that restore at once, where the form of the dump allows it. */
  readonly jobs?: number;
  /** Only these tables, with what belongs to them. */
  readonly tables?: readonly { readonly schema: string; readonly name: string }[];
  /** Milliseconds without any work after which the restore counts as stuck; 60,000 unless said. */
  readonly patience?: number;
}

/** How a restore went. */
export interface RestoreReport {
  readonly findings: readonly Finding[];
  /** Whether it came to its end, with or without errors. */
  readonly finished: boolean;
  /** Seconds of each phase, in their order: `roles and extensions`, `definitions`, `rows`, … */
  readonly phases: Readonly<Record<string, number>>;
  /** Of all phases. */
  readonly seconds: number;
}

/** Takes the time of phases. */
export class Phases {
  readonly #seconds: Record<string, number> = {};
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      const seconds = (performance.now() - began) / 1_000;
      this.#seconds[name] = (this.#seconds[name] ?? 0) + seconds;
      this.#tell(`Restored ${name} in ${seconds.toFixed(1)} s.`);
    }
  }

  get all(): Readonly<Record<string, number>> {
    return this.#seconds;
  }

  get sum(): number {
    return Object.values(this.#seconds).reduce((sum, seconds) => sum + seconds, 0);
  }
}
