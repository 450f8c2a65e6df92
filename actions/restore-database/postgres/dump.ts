import type { Readable } from "node:stream";
import type { StoredBackup } from "../../../shared/backup/index.ts";

/** A dump that is to be restored, wherever it comes from. */
export interface SourceDump {
  /** For the names of databases beside: of a backup, or of a moment. */
  readonly id: string;
  /** SQL, an archive in one file, one that is a tar, or one in a folder. */
  readonly form: "plain" | "file" | "tar" | "folder";
  /** The major version of the pg_dump that made it; 0 for SQL, and where it is not known. */
  readonly dumper: number;
  /** What it was made without, one phrase each. */
  readonly excluded: readonly string[];
  /** One, or those of the folder by their paths in it. */
  readonly files: readonly DumpPart[];
  /** Where it lies on this machine, whole and as pg_restore reads it; undefined where it does not. */
  readonly path?: string | undefined;
}

export interface DumpPart {
  readonly name: string;
  open(signal: AbortSignal): Promise<Readable>;
}

const FOLDER = "dump/";

/** The dump in a backup of our own. */
export function dumpIn(backup: StoredBackup): SourceDump {
  const { manifest } = backup;
  const names = manifest.parts.map(({ name }) => name).filter((name) => name.startsWith("dump"));
  const isFolder = names.some((name) => name.startsWith(FOLDER));
  const isPlain = names.includes("dump.sql");
  return {
    id: manifest.id,
    form: isPlain ? "plain" : isFolder ? "folder" : "file",
    dumper: isPlain ? 0 : Number.parseInt(manifest.source.pg_dump ?? "0", 10) || 0,
    excluded: manifest.excluded,
    files: names
      .filter((name) => !isFolder || name.startsWith(FOLDER))
      .map((name) => ({
        name: isFolder ? name.slice(FOLDER.length) : name,
        open: (signal) => backup.open(name, signal),
      })),
  };
}
