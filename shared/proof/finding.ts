/**
 * How deep a verification goes; each holds the ones before it.
 * `integrity`: bytes, structure, end markers, checksums, signature, age, trend.
 * `data`: restored in isolation without indexes, everything compared with the fingerprint.
 * `full`: indexes and constraints too, checked by the server's own means; application queries.
 */
export type Tier = "integrity" | "data" | "full";

/**
 * `damage`: the backup does not give back what was there. `doubt`: it cannot be trusted as it is,
 * or is too old. `note`: differs, and does no harm.
 */
export type Weight = "damage" | "doubt" | "note";

/** One thing that a verification found. */
export interface Finding {
  /** What noticed it, a fixed word of the table of detectors: `checksum`, `row-count`, `catalog`. */
  readonly detector: string;
  /** The tier that claims to notice this. */
  readonly tier: Tier;
  readonly weight: Weight;
  /** What it is about: `table public.orders`, `dump.pgdump`, `index public.orders_pkey`. */
  readonly subject: string;
  /** One sentence with the facts, its full stop included. */
  readonly what: string;
  readonly expected?: string | undefined;
  readonly found?: string | undefined;
}

/** A table, index, keyspace, bucket or folder, for the picture: expected and found. */
export interface Item {
  readonly name: string;
  /** Rows, documents, keys, objects or files. Undefined where nobody knows. */
  readonly expected: number | undefined;
  readonly found: number | undefined;
  /** Whether the contents were hashed and are the same; undefined where they were not compared. */
  readonly same: boolean | undefined;
  readonly bytes?: number | undefined;
}

/** What a verifier of one kind found in one backup. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  /** The word for what items hold: rows, documents, keys, objects, files. */
  readonly unit: string;
  /** How far it came: the tier asked for, or less where damage made the rest impossible. */
  readonly reached: Tier;
  /** What this examination cannot know, one sentence each. */
  readonly unknown: readonly string[];
  /** Seconds that the restore itself took; undefined where nothing was restored. */
  readonly restoreSeconds?: number | undefined;
  /** How it was done, for the report: `server`, `isolation`, `schema compared with`. */
  readonly circumstances?: Readonly<Record<string, string>>;
  /** Stretches of the work, in seconds since the examination began. */
  readonly phases?: readonly ExaminationPhase[];
}

export interface ExaminationPhase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}
