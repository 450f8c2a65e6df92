import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { pipeline } from "node:stream";
import { pipeline as finished } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { archiveError } from "./archive-error.ts";
import { checkLink, type Member } from "./member.ts";
import type { Layout } from "./table.ts";
import { readTar } from "./tar.ts";
import { readZip } from "./zip.ts";

/** Nothing here unpacks to more; an archive that does is meant to fill the disk. */
const MOST_BYTES = 2 ** 31;

/** What of an archive belongs into the folder of a tool, and where. */
interface Wanted {
  /** Path within the folder; undefined when it does not belong there. */
  place(path: string): string | undefined;
  /** Where programs come to be, by their paths in the archive. */
  readonly programs: ReadonlyMap<string, string>;
}

/** Where the programs of a tool are, below the folder it is unpacked into. */
export function programPaths(layout: Layout): Readonly<Record<string, string>> {
  const entries = Object.entries(layout.programs).map(([name, path]) => [
    name,
    layout.folder !== undefined && path.startsWith(layout.folder)
      ? path.slice(layout.folder.length)
      : `bin/${name}`,
  ]);
  return Object.fromEntries(entries);
}

/**
 * Unpacks what a layout names of an archive into a new folder.
 *
 * @throws {UserError} when the archive is broken, leads out of its folder or lacks a program.
 * @throws what the file system says.
 */
export async function unpack(file: string, layout: Layout, folder: string): Promise<void> {
  await walk(file, layout, {
    async file(path, executable, content) {
      const to = join(folder, path);
      await mkdir(dirname(to), { recursive: true });
      await finished(
        content,
        createWriteStream(to, { flags: "wx", mode: executable ? 0o755 : 0o644 }),
      );
    },
    async link(path, target) {
      const at = join(folder, path);
      await mkdir(dirname(at), { recursive: true });
      await symlink(target, at);
    },
  });
}

/**
 * Holds a folder to the archive that it was unpacked from: every file with its content, every link,
 * and nothing else. Gives back what differs first; undefined when nothing does.
 */
export async function difference(
  file: string,
  layout: Layout,
  folder: string,
): Promise<string | undefined> {
  const expected = new Set<string>();
  let found: string | undefined;
  const tell = (words: string) => {
    found ??= words;
  };
  await walk(file, layout, {
    async file(path, _executable, content) {
      expected.add(path);
      const [should, is] = await Promise.all([digestOf(content), digestAt(join(folder, path))]);
      if (is === undefined) tell(`${path} is missing`);
      else if (is !== should) tell(`${path} has been changed`);
    },
    async link(path, target) {
      expected.add(path);
      const is = await readlink(join(folder, path)).catch(() => undefined);
      if (is !== target) tell(`the link ${path} has been changed`);
    },
  });
  for (const path of await filesIn(folder)) {
    if (!expected.has(path)) tell(`${path} does not belong there`);
  }
  return found;
}

/** SHA-256 of a file, in hexadecimal; undefined when there is none. */
export async function digestAt(file: string): Promise<string | undefined> {
  try {
    return await digestOf(createReadStream(file));
  } catch (error) {
    if (/^(ENOENT|EISDIR|ENOTDIR|EACCES|ELOOP)$/.test(codeOf(error) ?? "")) return undefined;
    throw error;
  }
}

async function digestOf(bytes: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest("hex");
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** What is done with each part of an archive that belongs to a tool. */
interface Visitor {
  file(path: string, executable: boolean, content: AsyncIterable<Buffer>): Promise<void>;
  link(path: string, target: string): Promise<void>;
}

async function walk(file: string, layout: Layout, visitor: Visitor): Promise<void> {
  const wanted = wantedOf(layout);
  const missing = new Set(wanted.programs.keys());
  const seen: string[] = [];
  const budget = { left: MOST_BYTES };
  try {
    for await (const member of membersOf(file, layout)) {
      seen.push(member.path);
      const place = wanted.place(member.path);
      if (place === undefined || member.kind === "folder") continue;
      missing.delete(member.path);
      await visit(member, place, layout, wanted, visitor, budget);
    }
  } catch (error) {
    throw brokenArchive(error);
  }
  const [lacking] = missing;
  if (lacking !== undefined) {
    const has = seen.slice(0, 10).join(", ");
    throw archiveError(`It has no ${lacking}. It has ${has}${seen.length > 10 ? ", ..." : ""}.`);
  }
}

async function visit(
  member: Member,
  place: string,
  { folder = "" }: Layout,
  { programs }: Wanted,
  visitor: Visitor,
  budget: { left: number },
): Promise<void> {
  const { path, kind, target } = member;
  if (kind === "other") throw archiveError(`Its entry ${path} is neither a file nor a link.`);
  if (kind === "symbolic-link") {
    checkLink(member, folder);
    await visitor.link(place, target);
    return;
  }
  const executable = member.executable || programs.has(path);
  await visitor.file(place, executable, limited(member.content(), budget));
}

async function* limited(
  bytes: AsyncIterable<Buffer>,
  budget: { left: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    budget.left -= chunk.length;
    if (budget.left < 0) throw archiveError(`It holds more than ${MOST_BYTES} bytes.`);
    yield chunk;
  }
}

function wantedOf(layout: Layout): Wanted {
  const { folder } = layout;
  const paths = programPaths(layout);
  const programs = new Map(
    Object.entries(layout.programs).map(([name, path]) => [
      posix.normalize(path),
      paths[name] ?? "",
    ]),
  );
  return {
    programs,
    place: (path) =>
      programs.get(path) ??
      (folder !== undefined && path.startsWith(folder) ? path.slice(folder.length) : undefined),
  };
}

function membersOf(file: string, { archive }: Layout): AsyncIterable<Member> {
  if (archive === "zip") return readZip(file);
  return readTar(pipeline(createReadStream(file), createGunzip(), () => {}));
}

/** What zlib says of broken bytes, in words for people. */
function brokenArchive(error: unknown): unknown {
  const code = codeOf(error) ?? "";
  if (
    error instanceof UserError ||
    !/^(Z_|ERR_STREAM_PREMATURE|ERR_OUT_OF_RANGE|ERR_BUFFER)/.test(code)
  ) {
    return error;
  }
  return archiveError(`It is broken or of another kind than the table says: ${describe(error)}.`);
}
