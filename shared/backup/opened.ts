import type { Readable } from "node:stream";
import type { BackupManifest } from "./manifest.ts";

/** A backup of Seaworthy's own in a storage, ready to be read. */
export interface OpenedBackup {
  readonly manifest: BackupManifest;
  /** Decrypted, decompressed and parsed. */
  fingerprint(signal: AbortSignal): Promise<unknown>;
  /**
   * A part as the source gave it. The stream fails with a {BrokenPart} where what is stored does
   * not decrypt, decompress or sum up to what the manifest says; at the latest at its end.
   */
  open(part: string, signal: AbortSignal): Promise<Readable>;
}
