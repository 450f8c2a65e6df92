export { BrokenPart } from "./broken-part.ts";
export { bytesOf } from "./bytes-of.ts";
export { type Catalogue, catalogue, chooseBackup, type Listed } from "./catalogue.ts";
export {
  examineSeal,
  findingOf,
  type SealExamination,
  type SealSettings,
} from "./examine-seal.ts";
export {
  chooseForeign,
  type ForeignBackup,
  foreignBackups,
  foreignDump,
  isBaseBackup,
} from "./foreign.ts";
export { judgeAge, judgeSchedule } from "./freshness.ts";
export { type KeepDecision, type KeepSettings, parseKeep } from "./keep.ts";
export { type KeptBackup, type KeptParts, keepParts, roomForCopies } from "./keep-parts.ts";
export type { BackupManifest, Part } from "./manifest.ts";
export { openBackup, type StoredBackup } from "./open-backup.ts";
export type { OpenedBackup } from "./opened.ts";
export { Progress } from "./progress.ts";
export { type ReadAlong, readAlong } from "./read-along.ts";
export { BrokenManifest } from "./read-manifest.ts";
export { type Retained, retain } from "./retain.ts";
export {
  openSigner,
  openVerifier,
  type Signer,
  type SigningSettings,
  type Verifier,
} from "./signature.ts";
export type { BackupSource, Captured, Kind, PartSink } from "./source.ts";
export { type ThawSettings, thawFiles } from "./thaw.ts";
export {
  judgeTrend,
  type TrendExamination,
  type TrendSample,
  type TrendSettings,
} from "./trend.ts";
export {
  type BackupHistory,
  isDamaged,
  provenTier,
  readHistory,
  recordVerification,
} from "./verifications.ts";
export { type BackupOptions, type WrittenBackup, writeBackup } from "./write-backup.ts";
