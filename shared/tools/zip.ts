import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createInflateRaw } from "node:zlib";
import { archiveError } from "./archive-error.ts";
import { type Member, memberPath } from "./member.ts";

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;
/** What stands in place of a number that needs more bits. */
const TOO_LARGE = 0xffffffff;

interface Entry {
  readonly path: string;
  readonly method: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
  readonly mode: number;
  readonly folder: boolean;
}

/**
 * Reads a zip archive, and a Python wheel, which is one.
 *
 * Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.
 *
 * @throws {UserError} when it is none, is of a kind that is not read here, or leads out of its folder.
 */
export async function* readZip(file: string): AsyncGenerator<Member> {
  const handle = await open(file);
  try {
    for (const entry of await entriesOf(handle)) {
      const { path, folder, mode } = entry;
      const link = (mode & 0o170000) === 0o120000;
      const content = () => contentOf(file, handle, entry);
      yield {
        path,
        kind: folder ? "folder" : link ? "symbolic-link" : "file",
        executable: (mode & 0o111) !== 0,
        target: link ? await textOf(content()) : "",
        content,
      };
    }
  } finally {
    await handle.close();
  }
}

async function entriesOf(handle: FileHandle): Promise<Entry[]> {
  const { size } = await handle.stat();
  const tail = await read(handle, Math.max(0, size - END_BYTES - LONGEST_COMMENT), size);
  const end = endIn(tail);
  const count = end.readUInt16LE(10);
  const [bytes, offset] = [end.readUInt32LE(12), end.readUInt32LE(16)];
  if (count === 0xffff || offset === TOO_LARGE) throw archiveError("It is a zip64 archive.");
  const directory = await read(handle, offset, offset + bytes);
  const entries: Entry[] = [];
  for (let at = 0; entries.length < count; ) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY_SIGNATURE) {
      throw archiveError("Its list of files is broken.");
    }
    const [name, extra, comment] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field));
    entries.push(entryAt(directory, at, name ?? 0));
    at += ENTRY_BYTES + (name ?? 0) + (extra ?? 0) + (comment ?? 0);
  }
  return entries;
}

function endIn(tail: Buffer): Buffer {
  for (let at = tail.length - END_BYTES; at >= 0; at -= 1) {
    if (tail.readUInt32LE(at) === END_SIGNATURE) return tail.subarray(at);
  }
  throw archiveError("It is no zip archive, or it is cut short.");
}

function entryAt(directory: Buffer, at: number, nameLength: number): Entry {
  const from = at + ENTRY_BYTES;
  const raw = directory.subarray(from, from + nameLength).toString("utf8");
  if ((directory.readUInt16LE(at + 8) & 1) !== 0) throw archiveError("It is encrypted.");
  return {
    path: memberPath(raw),
    method: directory.readUInt16LE(at + 10),
    packed: directory.readUInt32LE(at + 20),
    size: directory.readUInt32LE(at + 24),
    // The upper half holds the mode where the archive was made on Unix.
    mode: directory.readUInt16LE(at + 40),
    offset: directory.readUInt32LE(at + 42),
    folder: raw.endsWith("/"),
  };
}

async function* contentOf(
  file: string,
  handle: FileHandle,
  { path, method, packed, size, offset }: Entry,
): AsyncGenerator<Buffer> {
  const local = await read(handle, offset, offset + LOCAL_BYTES);
  if (local.length < LOCAL_BYTES || local.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw archiveError(`Its file ${path} is not where its list says.`);
  }
  if (method !== STORED && method !== DEFLATED) {
    throw archiveError(`Its file ${path} is packed by method ${method}.`);
  }
  if (packed === 0) return;
  const start = offset + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  const raw = createReadStream(file, { start, end: start + packed - 1 });
  const bytes: AsyncIterable<Buffer> =
    method === STORED ? raw : pipeline(raw, createInflateRaw(), () => {});
  let seen = 0;
  for await (const chunk of bytes) {
    seen += chunk.length;
    if (seen > size) break;
    yield chunk;
  }
  if (seen !== size) throw archiveError(`Its file ${path} is not as long as its list says.`);
}

async function textOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of bytes) parts.push(chunk);
  return Buffer.concat(parts).toString("utf8");
}

async function read(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.alloc(to - from);
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
  return bytes.subarray(0, bytesRead);
}
