import type { ExaminationPhase, Finding, Tier } from "../../proof/index.ts";
import type { Refused } from "./refusals.ts";

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
  readonly refused: Refused;
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

  /** @param work may end the phase itself, and begin another in its place. */
  async take<T>(name: string, work: (next: (name: string) => void) => Promise<T>): Promise<T> {
    let current = { name, from: this.#now() };
    const end = () => {
      const to = this.#now();
      this.all.push({ ...current, to });
      this.#tell(`Restored ${current.name} in ${(to - current.from).toFixed(1)} s.`);
      return to;
    };
    try {
      return await work((following) => {
        current = { name: following, from: end() };
      });
    } finally {
      end();
    }
  }

  get sum(): number {
    return this.all.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  #now(): number {
    return (performance.now() - this.#began) / 1_000;
  }
}
