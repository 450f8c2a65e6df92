import { createHash } from "node:crypto";
import { type Lsn, parseLsn } from "./segment.ts";

/** The manifest that a server writes with a base backup. */
export interface BaseManifest {
  readonly files: ReadonlyMap<string, ManifestFile>;
  readonly ranges: readonly WalRange[];
}

export interface ManifestFile {
  readonly bytes: number;
  /** `CRC32C`, `SHA256`; undefined where it was made without checksums. */
  readonly algorithm: string | undefined;
  /** Hexadecimal digits. */
  readonly checksum: string | undefined;
}

/** The WAL without which the backup is not consistent. */
export interface WalRange {
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
}

interface Written {
  readonly Files?: readonly Record<string, unknown>[];
  readonly "WAL-Ranges"?: readonly Record<string, unknown>[];
}

/**
 * Reads `backup_manifest` by the rules of pg_verifybackup: its own checksum first.
 *
 * Source: PostgreSQL's documentation, Backup Manifest Format.
 *
 * @returns a phrase where it cannot be relied on.
 */
export function readBaseManifest(text: string): BaseManifest | string {
  const at = text.lastIndexOf('\n"Manifest-Checksum"');
  const told = /^\n"Manifest-Checksum":\s*"([0-9a-f]{64})"\s*\}\s*$/.exec(text.slice(at))?.[1];
  if (at === -1 || told === undefined) return "it is cut short: its own checksum is not at its end";
  const sum = createHash("sha256")
    .update(text.slice(0, at + 1))
    .digest("hex");
  if (sum !== told) return "it does not have the checksum that stands at its end";
  let written: Written;
  try {
    written = JSON.parse(text) as Written;
  } catch {
    return "it is no JSON";
  }
  const files = new Map<string, ManifestFile>();
  for (const entry of written.Files ?? []) {
    const path = pathOf(entry);
    if (path === undefined || typeof entry.Size !== "number") return "an entry lacks path or size";
    files.set(path, {
      bytes: entry.Size,
      algorithm: textOf(entry["Checksum-Algorithm"])?.toUpperCase(),
      checksum: textOf(entry.Checksum)?.toLowerCase(),
    });
  }
  return { files, ranges: (written["WAL-Ranges"] ?? []).flatMap(rangeOf) };
}

function pathOf(entry: Record<string, unknown>): string | undefined {
  const encoded = textOf(entry["Encoded-Path"]);
  return encoded === undefined ? textOf(entry.Path) : Buffer.from(encoded, "hex").toString("utf8");
}

function rangeOf(entry: Record<string, unknown>): WalRange[] {
  const [start, end] = [
    parseLsn(textOf(entry["Start-LSN"]) ?? ""),
    parseLsn(textOf(entry["End-LSN"]) ?? ""),
  ];
  if (typeof entry.Timeline !== "number" || start === undefined || end === undefined) return [];
  return [{ timeline: entry.Timeline, start, end }];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
