import type { Format } from "./format.ts";

/** Tells from the names of its files what a folder is. */
export function recogniseNames(names: readonly string[]): Format {
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  if (names.length === 0) return "empty";
  if (has(/^toc\.dat$/)) return "pg-directory";
  if (has(/^\d+\.dat(\.(gz|zst|lz4))?$/)) return "pg-directory";
  if (has(/^backup\/[^/]+\/backup\.info$/) || has(/(^|\/)backup\.(info|manifest)$/))
    return "pgbackrest";
  if (has(/(^|\/)basebackups_005\//) || has(/_backup_stop_sentinel\.json$/)) return "wal-g";
  const base = /^(base|\d+|pg_wal)\.tar(\.(gz|zst|lz4))?$/;
  if (has(/^backup_manifest$/) || has(/^backup_label$/) || has(base)) return "pg-basebackup";
  return has(/^PG_VERSION$/) && has(/^global\//) ? "pg-basebackup" : "unknown";
}
