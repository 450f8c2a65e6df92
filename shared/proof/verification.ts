import type { Finding, Item, Tier } from "./finding.ts";

/** What a verification found, whole: the JSON report, from which every other form is made. */
export interface Verification {
  readonly schema: 1;
  readonly verdict: "passed" | "failed";
  /** The tier that was asked for, and the one that was reached. */
  readonly tier: Tier;
  readonly reached: Tier;
  /** The series of backups, and the backup of it. */
  readonly name: string;
  readonly backup: string;
  readonly kind: string;
  readonly subject: string;
  readonly storage: string;
  /** ISO 8601: the moment that the backup shows, unknown for some that other tools made; and now. */
  readonly taken: string | undefined;
  readonly verified: string;
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly unit: string;
  /** What this verification cannot know, one sentence each. */
  readonly unknown: readonly string[];
  /** Facts about how it was done, by name: `server` 16.4, `isolation` no network, own user. */
  readonly circumstances: Readonly<Record<string, string>>;
  readonly objectives: Objectives;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly phases: readonly VerificationPhase[];
  readonly trend: readonly TrendPoint[];
  /** What was looked at: files and their SHA-256, in hexadecimal digits. */
  readonly evidence: readonly Evidence[];
}

/** Recovery point and recovery time, in seconds: what is allowed and what was measured. */
export interface Objectives {
  readonly age: number | undefined;
  readonly rpo: number | undefined;
  readonly restore: number | undefined;
  readonly rto: number | undefined;
  /** What the restore will take when the data has grown, by the earlier measurements. */
  readonly outlook: string | undefined;
}

/** In milliseconds since the verification began. */
export interface VerificationPhase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly failed: boolean;
}

/** A backup of the series and what a verification of it measured, oldest first. */
export interface TrendPoint {
  readonly backup: string;
  /** ISO 8601. */
  readonly taken: string;
  readonly bytes: number;
  readonly rows: number | undefined;
  readonly restoreSeconds: number | undefined;
  /** Undefined where it was never verified. */
  readonly verdict: "passed" | "failed" | undefined;
}

export interface Evidence {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}
