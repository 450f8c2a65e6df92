export type { BackupManifest, Part } from "./manifest.ts";
export type { OpenedBackup } from "./opened.ts";
export type { BackupSource, Captured, Kind, PartSink } from "./source.ts";
