import type { BackupManifest } from "./manifest.ts";

/** How much all parts of a backup are, the fingerprint's included: as the source gave them, and as stored. */
export function bytesOf({ parts, fingerprint }: Pick<BackupManifest, "parts" | "fingerprint">): {
  readonly bytes: number;
  readonly storedBytes: number;
} {
  const all = [...parts, fingerprint];
  return {
    bytes: all.reduce((sum, part) => sum + part.bytes, 0),
    storedBytes: all.reduce((sum, part) => sum + part.storedBytes, 0),
  };
}
