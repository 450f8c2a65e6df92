import type { Verification } from "../../../shared/proof/index.ts";

/** A verification that passed, with parts of the test's own. */
export function verification(parts: Partial<Verification> = {}): Verification {
  return {
    ...{ schema: 1, verdict: "passed", tier: "data", reached: "data", name: "papers" },
    ...{ backup: "20261122T000400Z-3f9a1c", kind: "postgres", subject: "database papers" },
    ...{ storage: "folder /mnt/backups", taken: "2026-11-22T00:04:00.000Z" },
    verified: "2026-11-22T06:00:00.000Z",
    ...{ findings: [], items: [], unit: "rows", unknown: [], circumstances: {} },
    objectives: { age: 21_360, rpo: 86_400, restore: 12.5, rto: 3_600, outlook: undefined },
    ...{ bytes: 988_000_000, storedBytes: 172_000_000, phases: [], trend: [], evidence: [] },
    ...parts,
  };
}
