import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import type { Member, MemberType } from "./member.ts";

/** What is wrong with an archive, as a phrase that goes on from `The archive`. */
export class ArchiveDamage extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`The archive ${what}`);
    this.name = "ArchiveDamage";
    this.what = what;
  }
}

/** A member of an archive, with its content while it streams by. */
export interface ArchiveMember extends Omit<Member, "sha256"> {
  readonly uid: number;
  readonly gid: number;
  /** Reads the content, gives each piece to the taker, and sums it. */
  sum(take?: (piece: Buffer) => Promise<void> | void): Promise<string>;
}

const TYPES: Readonly<Record<string, MemberType>> = {
  file: "file",
  "contiguous-file": "file",
  directory: "folder",
  symlink: "symlink",
  link: "hardlink",
  fifo: "fifo",
  "character-device": "device",
  "block-device": "device",
};
const LONGEST_PATH = 4096;
/** Two blocks of zeros end an archive. */
const END = 1024;

/**
 * Reads an archive as it streams by, to its very end.
 *
 * @throws {ArchiveDamage} when it is none, is cut short, or leads out of its folder.
 */
export async function* readArchive(bytes: AsyncIterable<Buffer>): AsyncGenerator<ArchiveMember> {
  const tail = new Tail();
  const source = Readable.from(tail.watch(bytes), { objectMode: false });
  const archive = extract();
  let failed: unknown;
  source.once("error", (error) => {
    failed = error;
    archive.destroy(error);
  });
  source.pipe(archive as unknown as NodeJS.WritableStream);
  try {
    for await (const entry of archive) {
      const member = memberOf(entry.header);
      let read = false;
      yield {
        ...member,
        ...ownerOf(entry.header),
        async sum(take) {
          read = true;
          const pieces = entry as AsyncIterable<Buffer>;
          return await summed(pieces, take, (error) => told(error, failed));
        },
      };
      if (!read) entry.resume();
    }
  } catch (error) {
    throw told(error, failed);
  } finally {
    source.destroy();
    archive.destroy();
  }
  tail.ensureEnd();
}

/** Numbers that are too large for the header stand in one of their own. */
function ownerOf({ uid, gid, pax }: Header): { readonly uid: number; readonly gid: number } {
  const large = pax as { readonly uid?: string; readonly gid?: string } | null | undefined;
  return { uid: Number(large?.uid ?? uid ?? 0) || 0, gid: Number(large?.gid ?? gid ?? 0) || 0 };
}

async function summed(
  pieces: AsyncIterable<Buffer>,
  take: ((piece: Buffer) => Promise<void> | void) | undefined,
  explain: (error: unknown) => unknown,
): Promise<string> {
  const sum = createHash("sha256");
  const iterator = pieces[Symbol.asyncIterator]();
  for (;;) {
    const next = await iterator.next().catch((error: unknown) => {
      throw explain(error);
    });
    if (next.done === true) return sum.digest("hex");
    sum.update(next.value);
    await take?.(next.value);
  }
}

/** The failure of the source where that is one; else what is wrong with the archive. */
function told(error: unknown, failed: unknown): unknown {
  if (failed !== undefined) return failed;
  if (error instanceof ArchiveDamage || !isOfTar(error)) return error;
  return new ArchiveDamage(phraseOf(error as Error));
}

/** Keeps an archive's last bytes, which have to be zeros. */
class Tail {
  #last: Buffer = Buffer.alloc(0);
  #length = 0;

  async *watch(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of bytes) {
      this.#length += chunk.length;
      const joined = chunk.length >= END ? chunk : Buffer.concat([this.#last, chunk]);
      this.#last = Buffer.from(joined.subarray(Math.max(0, joined.length - END)));
      yield chunk;
    }
  }

  ensureEnd(): void {
    if (this.#length === 0) throw new ArchiveDamage("is empty");
    if (this.#length % 512 !== 0) throw new ArchiveDamage("does not end with a whole block");
    if (this.#last.length < END || !this.#last.every((byte) => byte === 0)) {
      throw new ArchiveDamage("lacks its end, so that members may be missing");
    }
  }
}

function isOfTar(error: unknown): boolean {
  return (
    error instanceof Error &&
    !("code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code))
  );
}

function phraseOf({ message }: Error): string {
  if (/unexpected end|stream was destroyed|premature close/i.test(message)) return "is cut short";
  if (/invalid tar header/i.test(message)) {
    return "is no tar archive, or has a header whose checksum is wrong";
  }
  return `cannot be read (${message})`;
}

function memberOf(header: Header): Omit<Member, "sha256"> {
  const type = TYPES[header.type];
  if (type === undefined) {
    throw new ArchiveDamage(`holds a member of an unknown type (${header.type})`);
  }
  const path = pathOf(header.name);
  const size = type === "file" ? (header.size ?? 0) : 0;
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new ArchiveDamage(`holds ${path} with a size that cannot be`);
  }
  const target = header.linkname || undefined;
  return {
    path,
    type,
    size,
    mode: (header.mode ?? 0) & 0o7777,
    mtime: Math.floor((header.mtime?.getTime() ?? 0) / 1000),
    ...(target !== undefined && (type === "symlink" || type === "hardlink")
      ? { target: type === "hardlink" ? pathOf(target) : target }
      : {}),
  };
}

/** @throws {ArchiveDamage} when the path leads out of the folder. */
function pathOf(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || parts.includes("..")) {
    throw new ArchiveDamage(`holds a member that leads out of its folder: ${name.slice(0, 200)}`);
  }
  if (name.length > LONGEST_PATH || name.includes("\0")) {
    throw new ArchiveDamage("holds a member whose name cannot be");
  }
  return parts.join("/") || ".";
}
