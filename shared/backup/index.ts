export { BrokenPart } from "./broken-part.ts";
export type { BackupManifest, Part } from "./manifest.ts";
export { openBackup, type StoredBackup } from "./open-backup.ts";
export type { OpenedBackup } from "./opened.ts";
export { BrokenManifest } from "./read-manifest.ts";
export {
  openSigner,
  openVerifier,
  type Signer,
  type SigningSettings,
  type Verifier,
} from "./signature.ts";
export type { BackupSource, Captured, Kind, PartSink } from "./source.ts";
export { type BackupOptions, type WrittenBackup, writeBackup } from "./write-backup.ts";
