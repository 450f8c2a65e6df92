import type { Kind } from "./source.ts";

/** `<name>/<id>/manifest.json` in the storage, written last: without it a backup does not count. */
export interface BackupManifest {
  readonly schema: 1;
  /** Which series of backups it belongs to: `papers`, `cache`. */
  readonly name: string;
  /** Time of its beginning in UTC and a random tail: `20261122T000400Z-3f9a1c`; sorts by age. */
  readonly id: string;
  readonly kind: Kind;
  readonly subject: string;
  /** ISO 8601. The moment that it shows. */
  readonly taken: string;
  readonly began: string;
  readonly ended: string;
  readonly source: Readonly<Record<string, string>>;
  readonly measures: Readonly<Record<string, number>>;
  readonly excluded: readonly string[];
  readonly notes: readonly string[];
  readonly parts: readonly Part[];
  /** The part with the fingerprint, sealed like the others. */
  readonly fingerprint: Part;
}

export interface Part {
  /** As the source called it. */
  readonly name: string;
  /** Its file beside the manifest, `dump.pgdump.zst.age`. */
  readonly file: string;
  /** Before compression and encryption. */
  readonly bytes: number;
  readonly sha256: string;
  /** As stored. */
  readonly storedBytes: number;
  readonly storedSha256: string;
  readonly compression: "none" | "gzip" | "zstd";
  readonly encryption: "none" | "age" | "openssl";
  /** With `openssl`: the rounds that made the key (`-iter`). */
  readonly iterations?: number | undefined;
}
