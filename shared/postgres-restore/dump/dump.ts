import type { Readable } from "node:stream";

/** A dump of pg_dump, without anything around it. */
export interface Dump {
  readonly form: "plain" | "custom" | "directory" | "tar";
  /** One file; of a directory, all of its members by their names. */
  readonly files: readonly DumpFile[];
}

export interface DumpFile {
  readonly name: string;
  /** The path of a private copy on this machine, which the restore may take over. */
  readonly copy?: string | undefined;
  /** What of it fails, fails the restore with that error. */
  open(signal: AbortSignal): Promise<Readable>;
}
