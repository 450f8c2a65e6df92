import type { Readable } from "node:stream";
import type { World } from "../world/index.ts";

/** What can be backed up. */
export type Kind = "postgres" | "redis" | "opensearch" | "elasticsearch" | "bucket" | "directory";

/** Takes the parts of a backup: compresses, encrypts, sums and stores each as it streams by. */
export interface PartSink {
  /**
   * Stores a part. Several may be written at once.
   *
   * @param name unique in the backup, parts separated by slashes, such as `dump.pgdump`.
   * @param content what of it fails, fails the write, and nothing of the part stays.
   */
  write(name: string, content: Readable, traits?: { readonly compressed?: boolean }): Promise<void>;
  /** Tells the progress how many bytes all parts will have, where that is known before. */
  expect?(bytes: number): void;
}

/** What is known of a backup beside its parts, and can be read without a key. */
export interface Captured {
  /** The proof of what was there, in the kind's own form; JSON. It may hold keys of rows. */
  readonly fingerprint: unknown;
  /** Facts of the source by name: `server` 16.4, `pg_dump` 16.4, `database` papers. No secrets. */
  readonly source: Readonly<Record<string, string>>;
  /** The moment that the backup shows, in milliseconds since the Unix epoch. */
  readonly taken: number;
  /** For the trend: `rows`, `bytes`, `tables`, `keys`, `documents`, `objects`, `files`. */
  readonly measures: Readonly<Record<string, number>>;
  /** What was left out by intent, one phrase each. */
  readonly excluded: readonly string[];
  /** What whoever restores should know, one sentence each. */
  readonly notes: readonly string[];
}

/** Something that can be backed up; it is only ever read. */
export interface BackupSource {
  readonly kind: Kind;
  /** For messages and the manifest: `database papers of db.example:5432`. No secrets. */
  readonly subject: string;
  /**
   * Checks, before anything is written, that everything can be read; then gives every part to the
   * sink, and tells what it read.
   *
   * @throws {UserError} for whatever would make the backup less than the source.
   */
  capture(sink: PartSink, world: World): Promise<Captured>;
}
