import { createReadStream } from "node:fs";
import { opendir, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { codeOf, describe, UserError } from "../failure/index.ts";

/** A file of a dump, wherever it is kept. */
export interface DumpFile {
  /** In a folder, its path inside of it, parts separated by slashes. */
  readonly name: string;
  /** Undefined where nobody knows yet. */
  readonly bytes?: number | undefined;
  /** The path of a private copy on this machine, which whoever needs one may take over. */
  readonly copy?: string | undefined;
  /** May be called more than once. */
  open(signal: AbortSignal): Promise<AsyncIterable<Buffer>>;
}

/** A dump: one file, or a folder of them. */
export interface Dump {
  /** For messages. */
  readonly name: string;
  readonly folder: boolean;
  readonly files: readonly DumpFile[];
}

/** A dump of one file. */
export function dumpOf(file: DumpFile): Dump {
  return { name: file.name, folder: false, files: [file] };
}

/** Large pieces: a hand-over between threads costs more than reading a small one. */
const PIECE = 262_144;

/**
 * A dump on this machine. Links and devices in a folder are no part of it.
 *
 * @throws {UserError} where there is nothing that can be read.
 */
export async function dumpAt(path: string): Promise<Dump> {
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return dumpOf(fileAt(path, basename(path), facts.size));
    const files: DumpFile[] = [];
    for await (const entry of await opendir(path, { recursive: true })) {
      if (!entry.isFile()) continue;
      const full = join(entry.parentPath, entry.name);
      const name = relative(path, full).split(sep).join("/");
      files.push(fileAt(full, name, (await stat(full)).size));
    }
    files.sort((one, other) => (one.name < other.name ? -1 : 1));
    return { name: basename(path), folder: true, files };
  } catch (cause) {
    throw new UserError(
      {
        title: "Dump not readable",
        cause: `${path} cannot be read: ${describe(cause)}.`,
        remedy:
          codeOf(cause) === "ENOENT"
            ? "Check the path, and that the step before wrote it."
            : "Check its permissions.",
      },
      { reason: cause },
    );
  }
}

function fileAt(path: string, name: string, bytes: number): DumpFile {
  return {
    name,
    bytes,
    open: async (signal) => createReadStream(path, { highWaterMark: PIECE, signal }),
  };
}
