import { archiveError } from "./archive-error.ts";
import { type Member, memberPath } from "./member.ts";

const BLOCK = 512;
/** Long names and attributes; nobody needs more. */
const LONGEST_TEXT = 1_048_576;

/**
 * Reads a tar archive as it streams by: POSIX with extended headers, and GNU's long names.
 *
 * Source: POSIX.1-2017, pax, sections "ustar Interchange Format" and "pax Header Block".
 *
 * @throws {UserError} when it is none, is cut short, or leads out of its folder.
 */
export async function* readTar(bytes: AsyncIterable<Buffer>): AsyncGenerator<Member> {
  const reader = new Reader(bytes);
  let extended: Readonly<Record<string, string>> = {};
  for (;;) {
    const header = await reader.take(BLOCK);
    if (header.length === 0 || header.every((byte) => byte === 0)) return;
    checkHeader(header);
    const type = String.fromCharCode(header[156] ?? 0);
    const size = Number(extended.size ?? sizeIn(header));
    if (type === "x" || type === "L" || type === "K") {
      extended = { ...extended, ...attributes(type, await textOf(reader, size)) };
      continue;
    }
    if (type === "g") {
      await textOf(reader, size);
      continue;
    }
    const member = reader.member(size);
    yield {
      path: memberPath(extended.path ?? nameIn(header)),
      kind: kindOf(type),
      executable: (octal(header, 100, 8) & 0o111) !== 0,
      target: extended.linkpath ?? textIn(header, 157, 100),
      content: () => member.content(),
    };
    await member.skip();
    extended = {};
  }
}

async function textOf(reader: Reader, size: number): Promise<string> {
  if (size > LONGEST_TEXT) throw archiveError("It has a name that is longer than 1 MiB.");
  const parts: Buffer[] = [];
  const member = reader.member(size);
  for await (const chunk of member.content()) parts.push(chunk);
  await member.skip();
  return Buffer.concat(parts).toString("utf8");
}

function attributes(type: string, text: string): Record<string, string> {
  if (type === "L") return { path: text.replace(/\0.*$/s, "") };
  if (type === "K") return { linkpath: text.replace(/\0.*$/s, "") };
  // Each record is its own length, a space, key=value and a line break.
  const found: Record<string, string> = {};
  for (const [, key = "", value = ""] of text.matchAll(/\d+ ([^=\n]+)=([^\n]*)\n/g)) {
    found[key] = value;
  }
  return found;
}

function kindOf(type: string): Member["kind"] {
  if (type === "0" || type === "\0" || type === "7") return "file";
  if (type === "5") return "folder";
  return type === "2" ? "symbolic-link" : "other";
}

function checkHeader(header: Buffer): void {
  if (header.length < BLOCK) throw archiveError("It is cut short.");
  const sum = header.reduce(
    (total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte),
    0,
  );
  if (sum !== octal(header, 148, 8)) throw archiveError("It is no tar archive, or a broken one.");
}

function nameIn(header: Buffer): string {
  const name = textIn(header, 0, 100);
  const ustar = textIn(header, 257, 5) === "ustar" && header[262] === 0;
  const prefix = ustar ? textIn(header, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function sizeIn(header: Buffer): number {
  // GNU writes sizes of 8 GiB and more in binary; nothing here is as large.
  if (((header[124] ?? 0) & 0x80) !== 0) throw archiveError("It has a file of 8 GiB or more.");
  return octal(header, 124, 12);
}

function octal(header: Buffer, at: number, length: number): number {
  return Number.parseInt(textIn(header, at, length).trim() || "0", 8);
}

function textIn(header: Buffer, at: number, length: number): string {
  return header
    .subarray(at, at + length)
    .toString("utf8")
    .replace(/\0.*$/s, "");
}

/** Takes a stream of bytes apart. */
class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#chunks = bytes[Symbol.asyncIterator]();
  }

  /** So many bytes, or fewer at the end. */
  async take(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const part = await this.next(missing);
      if (part === undefined) break;
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  /** The bytes that are at hand, at most so many; undefined at the end. */
  async next(most: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done) return undefined;
      this.#rest = value;
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  /** The next bytes as one member's, padded to whole blocks. */
  member(size: number): { content(): AsyncIterable<Buffer>; skip(): Promise<void> } {
    const reader = this;
    let left = size;
    async function* content(): AsyncGenerator<Buffer> {
      while (left > 0) {
        const part = await reader.next(left);
        if (part === undefined) throw archiveError("It is cut short.");
        left -= part.length;
        yield part;
      }
    }
    return {
      content,
      async skip() {
        for await (const _ of content());
        await reader.take((BLOCK - (size % BLOCK)) % BLOCK);
      },
    };
  }
}
