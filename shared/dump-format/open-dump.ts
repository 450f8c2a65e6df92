import { UserError } from "../failure/index.ts";
import type { Archive } from "./archive.ts";
import { ArchiveReader, BrokenArchive } from "./archive-reader.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { Dump, DumpFile } from "./dump.ts";
import type { ExamineOptions } from "./examination.ts";
import { FaultList } from "./fault-list.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { HEAD_BYTES, layerOf } from "./recognise.ts";
import { readArchive } from "./toc.ts";
import { unpack } from "./unpack.ts";

/**
 * The content of a file without the compressions and encryptions around it, as a stream: plain SQL
 * for psql, or a custom dump to write into a file that pg_restore can seek in.
 *
 * @throws {UserError} within the stream where a compression is broken, and where a layer cannot be
 * opened.
 */
export async function* contentOf(
  file: DumpFile,
  options: Pick<ExamineOptions, "signal" | "decrypt" | "limits">,
): AsyncGenerator<Buffer> {
  const faults = new FaultList();
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const cursors = [new ByteCursor(await file.open(options.signal))];
  try {
    for (;;) {
      const cursor = cursors.at(-1) as ByteCursor;
      const layer = layerOf(await cursor.peek(HEAD_BYTES));
      if (layer === undefined) break;
      const inner =
        layer === "gzip" || layer === "zstd" || layer === "lz4"
          ? unpack(cursor, layer, { subject: file.name, faults, limits })
          : layer === "age" || layer === "openssl"
            ? options.decrypt?.(layer, cursor.rest())
            : undefined;
      if (inner === undefined || cursors.length > 5) throw notOpened(file.name, layer);
      cursors.push(new ByteCursor(inner));
    }
    for await (const chunk of (cursors.at(-1) as ByteCursor).rest()) {
      options.signal.throwIfAborted();
      yield chunk;
    }
    throwFaults(faults, file.name);
  } finally {
    for (const cursor of cursors.toReversed()) await cursor.close();
  }
}

/**
 * The table of contents of a custom, directory or tar dump, without reading what is behind it;
 * undefined where the dump has none.
 *
 * @throws {UserError} where it is broken.
 */
export async function archiveOf(
  dump: Dump,
  options: Pick<ExamineOptions, "signal" | "decrypt">,
): Promise<Archive | undefined> {
  const file = dump.folder ? dump.files.find(({ name }) => name === "toc.dat") : dump.files[0];
  if (file === undefined) return undefined;
  const cursor = new ByteCursor(contentOf(file, options));
  try {
    const head = await cursor.peek(1024);
    if (head.toString("latin1", 257, 262) === "ustar") await cursor.take(512);
    if ((await cursor.peek(5)).toString("latin1") !== "PGDMP") return undefined;
    const archive = await readArchive(new ArchiveReader(cursor), DEFAULT_LIMITS.members);
    return { ...archive, format: dump.folder ? "directory" : archive.format };
  } catch (cause) {
    if (!(cause instanceof BrokenArchive)) throw cause;
    throw new UserError(
      {
        title: "Broken dump",
        cause: `The table of contents of ${file.name} is broken at offset ${cause.offset}: ${cause.message}.`,
        remedy: "Take an older backup, and dump again.",
      },
      { reason: cause },
    );
  } finally {
    await cursor.close();
  }
}

function throwFaults(faults: FaultList, name: string): void {
  const fault = faults.findings().find(({ weight }) => weight !== "note");
  if (fault === undefined) return;
  throw new UserError({
    title: "Broken dump",
    cause: `${name}: ${fault.what}`,
    remedy: "Take an older backup, and dump again.",
  });
}

/** Programs that undo what is not undone here. */
const UNPACKED_BY: Readonly<Record<string, string>> = {
  bzip2: "bunzip2",
  xz: "unxz",
  zip: "unzip",
  lz4: "unlz4",
};

function notOpened(name: string, layer: string): UserError {
  const program = UNPACKED_BY[layer];
  if (program !== undefined) {
    return new UserError({
      title: "A compression that is not read here",
      cause: `${name} is compressed with ${layer}; gzip and zstd can be read here.`,
      remedy: `Unpack it first (${program}), or write backups with gzip or zstd.`,
    });
  }
  return new UserError({
    title: "Sealed dump",
    cause: `${name} is sealed with ${layer}, which could not be opened here.`,
    remedy: "Give the key or password that it was encrypted with, or unpack it first.",
  });
}
