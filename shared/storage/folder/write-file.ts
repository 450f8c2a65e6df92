import { createHash } from "node:crypto";
import { constants, type FileHandle, link, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { codeOf } from "../../failure/index.ts";
import { existsAlready, notAsStored } from "../errors.ts";
import type { WriteOptions, Written } from "../storage.ts";
import { explain } from "./errors.ts";
import { partialBeside } from "./partial.ts";

/** Small pieces are put together before they are written. */
const BATCH_BYTES = 512 * 1024;

interface Target {
  readonly path: string;
  readonly name: string;
  readonly place: string;
}

/**
 * Writes a file beside its place, makes the disk keep it, and only then gives it its name; so that
 * whoever looks sees all of it or nothing, even when the machine is switched off in between.
 */
export async function writeFile(
  target: Target,
  content: Readable | Buffer,
  options: WriteOptions,
): Promise<Written> {
  const { path, name, place } = target;
  const partial = partialBeside(path);
  try {
    options.signal.throwIfAborted();
    if (options.replace !== true && (await exists(path))) throw existsAlready(name, place);
    const written = await fill(partial, target, content, options);
    options.signal.throwIfAborted();
    await give(partial, target, options.replace === true);
    await keepFolder(dirname(path));
    return written;
  } catch (error) {
    await unlink(partial).catch(() => {});
    options.signal.throwIfAborted();
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function fill(
  partial: string,
  { path, name, place }: Target,
  content: Readable | Buffer,
  { signal, onProgress }: WriteOptions,
): Promise<Written> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const file = await opened(partial, flags, path);
  try {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const batch of batches(content)) {
      signal.throwIfAborted();
      for (const piece of batch) hash.update(piece);
      bytes += await append(file, batch, path);
      onProgress?.(bytes);
    }
    await file.sync().catch((error: unknown) => {
      throw explain(error, path, "written");
    });
    const { size } = await file.stat();
    if (size !== bytes) {
      throw notAsStored(name, place, `${bytes} bytes were written, and the disk holds ${size}`);
    }
    return { bytes, sha256: hash.digest("hex") };
  } finally {
    // A network file system tells of a full disk only now.
    await file.close().catch((error: unknown) => {
      throw explain(error, path, "written");
    });
  }
}

function opened(partial: string, flags: number, path: string): Promise<FileHandle> {
  return open(partial, flags, 0o640).catch((error: unknown) => {
    throw explain(error, path, "written");
  });
}

async function* batches(content: Readable | Buffer): AsyncGenerator<Buffer[]> {
  if (Buffer.isBuffer(content)) {
    yield [content];
    return;
  }
  let batch: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    batch.push(piece);
    bytes += piece.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (bytes > 0) yield batch;
}

/** All of it: a disk that is nearly full takes a piece and says so only at the next one. */
async function append(file: FileHandle, batch: readonly Buffer[], path: string): Promise<number> {
  let total = 0;
  for (let rest = [...batch]; rest.length > 0; ) {
    const { bytesWritten } = await file.writev(rest).catch((error: unknown) => {
      throw explain(error, path, "written");
    });
    total += bytesWritten;
    rest = after(rest, bytesWritten);
  }
  return total;
}

function after(pieces: readonly Buffer[], written: number): Buffer[] {
  let left = written;
  const rest: Buffer[] = [];
  for (const piece of pieces) {
    if (left >= piece.length) left -= piece.length;
    else {
      rest.push(piece.subarray(left));
      left = 0;
    }
  }
  return rest;
}

/** A hard link refuses where something has the name already; renaming would replace it. */
async function give(partial: string, { path, name, place }: Target, replace: boolean) {
  try {
    if (!replace && (await linked(partial, path))) await unlink(partial);
    else if (!replace && (await exists(path))) throw existsAlready(name, place);
    else await rename(partial, path);
  } catch (error) {
    if (codeOf(error) === "EEXIST") throw existsAlready(name, place);
    throw explain(error, path, "written");
  }
}

/**
 * Whether a link could be made: file systems of memory cards and of Windows know none, and some want
 * room for one that a new name does not need.
 */
async function linked(partial: string, path: string): Promise<boolean> {
  try {
    await link(partial, path);
    return true;
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES", "ENOSPC"].includes(code))
      return false;
    throw error;
  }
}

/** The new name itself has to be kept as well. Not every file system lets a folder be asked. */
async function keepFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY).catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync().catch((error: unknown) => {
      if (!["EINVAL", "ENOTSUP", "EBADF", "EPERM"].includes(codeOf(error) ?? "")) {
        throw explain(error, folder, "written");
      }
    });
  } finally {
    await handle.close();
  }
}
