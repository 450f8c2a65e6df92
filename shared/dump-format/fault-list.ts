import type { Finding, Weight } from "../proof/index.ts";

/** What examinations of files notice faults with. */
export type Detector =
  | "format"
  | "compression"
  | "checksum"
  | "end-marker"
  | "toc"
  | "members"
  | "structure"
  | "rows"
  | "encoding"
  | "line-ends"
  | "version"
  | "hostile"
  | "bomb";

/** A fault without what is the same for all of an examination. */
export interface Fault {
  readonly detector: Detector;
  readonly weight: Weight;
  readonly subject: string;
  readonly what: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** So many of one detector are told one by one; of the rest, how many. */
const TOLD = 12;

/** Collects findings of the integrity tier; a file with a million faults makes a dozen findings. */
export class FaultList {
  readonly #faults: Fault[] = [];
  readonly #counts = new Map<string, number>();

  add(fault: Fault): void {
    const key = `${fault.detector} ${fault.weight}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= TOLD) this.#faults.push(fault);
  }

  /** Whether anything of that weight was found. */
  has(weight: Weight, detector?: Detector): boolean {
    return this.#faults.some(
      (fault) => fault.weight === weight && (detector === undefined || fault.detector === detector),
    );
  }

  findings(): Finding[] {
    const findings: Finding[] = this.#faults.map((fault) => ({ tier: "integrity", ...fault }));
    for (const [key, count] of this.#counts) {
      if (count <= TOLD) continue;
      const [detector, weight] = key.split(" ") as [Detector, Weight];
      const alike = this.#faults.find((one) => one.detector === detector && one.weight === weight);
      findings.push({
        detector,
        tier: "integrity",
        weight,
        subject: alike?.subject ?? "dump",
        what: `There are ${count - TOLD} more faults of this kind.`,
      });
    }
    return findings;
  }
}
