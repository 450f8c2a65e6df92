import type { ExaminationPhase, Finding, Tier } from "../../proof/index.ts";

/** What is to be restored, and how. */
export interface RestoreOptions {
  /** `data` leaves out indexes, constraints, triggers and all else that comes after the rows. */
  readonly tier: Exclude<Tier, "integrity">;
  /** The database, which has to be there and empty. */
  readonly database: string;
  /** Connections that restore at once, where the form of the dump allows it. */
  readonly jobs?: number;
  /** Milliseconds without any work after which the restore counts as stuck; 60,000 unless said. */
  readonly patience?: number;
}

/** How a restore went. */
export interface RestoreReport {
  readonly findings: readonly Finding[];
  /** Whether it came to its end, with or without errors. */
  readonly finished: boolean;
  /** `roles and extensions`, `definitions`, `rows`, …; in seconds since the restore began. */
  readonly phases: readonly ExaminationPhase[];
  /** Of all phases. */
  readonly seconds: number;
}

/** Takes the time of phases, in seconds since it was made. */
export class Phases {
  readonly all: ExaminationPhase[] = [];
  readonly #began = performance.now();
  readonly #tell: (line: string) => void;

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  async take<T>(name: string, work: () => Promise<T>): Promise<T> {
    const from = this.#now();
    try {
      return await work();
    } finally {
      const to = this.#now();
      this.all.push({ name, from, to });
      this.#tell(`Restored ${name} in ${(to - from).toFixed(1)} s.`);
    }
  }

  get sum(): number {
    return this.all.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  #now(): number {
    return (performance.now() - this.#began) / 1_000;
  }
}
