import type { Finding, Tier, Weight } from "../proof/index.ts";

/** So many findings of one detector are told one by one. */
const TOLD = 12;

/** Collects what an examination of a physical backup finds. */
export class Ledger {
  readonly #findings: Finding[] = [];
  readonly #counts = new Map<string, number>();
  readonly unknown: string[] = [];
  tier: Tier = "integrity";

  add(finding: Omit<Finding, "tier"> & { readonly tier?: Tier }): void {
    const key = `${finding.detector} ${finding.weight}`;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count <= TOLD) this.#findings.push({ tier: this.tier, ...finding });
  }

  damage(detector: string, subject: string, what: string, compared: Compared = {}): void {
    this.add({ detector, weight: "damage", subject, what, ...compared });
  }

  note(detector: string, subject: string, what: string): void {
    this.add({ detector, weight: "note", subject, what });
  }

  get isDamaged(): boolean {
    return this.#findings.some(({ weight }) => weight === "damage");
  }

  get findings(): readonly Finding[] {
    const more = [...this.#counts].flatMap(([key, count]) => {
      if (count <= TOLD) return [];
      const [detector = "", weight = ""] = key.split(" ");
      const what = `There are ${count - TOLD} more findings of this kind.`;
      return [
        { detector, tier: this.tier, weight: weight as Weight, subject: "base backup", what },
      ];
    });
    return [...this.#findings, ...more];
  }
}

interface Compared {
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}
