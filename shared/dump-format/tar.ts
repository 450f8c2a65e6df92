import { ByteCursor } from "./byte-cursor.ts";
import type { Fault } from "./fault-list.ts";
import { attributesIn, type TarHeader, tarHeaderOf } from "./tar-header.ts";

/** A member of a tar archive, as it streams by. */
export interface TarMember {
  /** As the archive has it, however dangerous. */
  readonly name: string;
  readonly kind: "file" | "folder" | "symbolic-link" | "hard-link" | "device" | "sparse" | "other";
  readonly bytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since the Unix epoch. */
  readonly modified: number;
  /** Of a link: what it leads to. */
  readonly target: string;
  /** Where its header begins. */
  readonly offset: number;
  /** Its bytes; can be left unread. Shorter than `bytes` where the archive is cut, which is said. */
  content(): AsyncGenerator<Buffer>;
}

export interface TarOptions {
  readonly subject: string;
  readonly members: number;
  readonly onFault: (fault: Fault) => void;
}

const BLOCK = 512;
/** Long names and attributes; nobody needs more. */
const LONGEST_TEXT = 1_048_576;

/**
 * Reads a tar archive of any common kind as it streams by, and says whatever is wrong with it:
 * headers whose sums do not match, an end that is missing, names and links that lead out of the
 * folder it is unpacked to, devices, names that are there twice.
 *
 * Source: POSIX.1-2017, pax; GNU tar's long names and numbers.
 */
export async function* readTar(
  content: AsyncIterable<Buffer> | ByteCursor,
  options: TarOptions,
): AsyncGenerator<TarMember> {
  const run = new TarRun(
    content instanceof ByteCursor ? content : new ByteCursor(content),
    options,
  );
  yield* run.members();
}

class TarRun {
  readonly #cursor: ByteCursor;
  readonly #options: TarOptions;
  readonly #start: number;
  readonly #names = new Set<string>();
  #left = 0;
  #count = 0;
  #cut = false;

  constructor(cursor: ByteCursor, options: TarOptions) {
    this.#cursor = cursor;
    this.#options = options;
    this.#start = cursor.position;
  }

  get #offset(): number {
    return this.#cursor.position - this.#start;
  }

  async *members(): AsyncGenerator<TarMember> {
    let extra: Readonly<Record<string, string>> = {};
    for (;;) {
      const header = await this.#header();
      if (header === undefined) return;
      if ("xLKg".includes(header.type)) {
        const text = await this.#text(header);
        if (text === undefined) return;
        if (header.type !== "g") extra = { ...extra, ...attributesIn(header.type, text) };
        continue;
      }
      const member = this.#member(header, extra);
      extra = {};
      if (member === undefined) return;
      this.#hold(member);
      yield member;
      if (!(await this.#leave(member))) return;
    }
  }

  /** The next header; undefined at the end, right or wrong. */
  async #header(): Promise<TarHeader | undefined> {
    const at = this.#offset;
    const block = await this.#cursor.take(BLOCK);
    if (block.length === 0) {
      this.#damage(
        "end-marker",
        `It is cut short: it ends at offset ${at} without the two empty blocks that close a tar archive.`,
      );
      return undefined;
    }
    if (block.length < BLOCK) {
      this.#damage(
        "end-marker",
        `It is cut short: it ends at offset ${at + block.length}, inside of a header.`,
      );
      return undefined;
    }
    if (block.every((byte) => byte === 0)) {
      await this.#end(at);
      return undefined;
    }
    const header = tarHeaderOf(block, at);
    if (typeof header !== "string") return header;
    this.#damage(
      "checksum",
      `The header at offset ${at}, behind ${this.#count} members, is broken: ${header}.`,
    );
    return undefined;
  }

  /** Two empty blocks close an archive; tar fills up the rest of a record with more of them. */
  async #end(at: number): Promise<void> {
    const second = await this.#cursor.take(BLOCK);
    if (second.length < BLOCK) {
      this.#damage(
        "end-marker",
        `It is cut short in the empty blocks at offset ${at} that close a tar archive.`,
      );
      return;
    }
    let offset = this.#offset - BLOCK;
    let chunk: Buffer | undefined = second;
    for (; chunk !== undefined; chunk = await this.#cursor.chunk()) {
      const garbage = chunk.findIndex((byte) => byte !== 0);
      if (garbage !== -1) {
        this.#damage(
          "end-marker",
          `Behind its end at offset ${at} there is more, from offset ${offset + garbage} on: another archive, or garbage.`,
        );
        for await (const _ of this.#cursor.rest());
        return;
      }
      offset += chunk.length;
    }
  }

  async #text(header: TarHeader): Promise<string | undefined> {
    if (header.bytes > LONGEST_TEXT) {
      this.#damage(
        "hostile",
        `The header at offset ${header.offset} has a name of ${header.bytes} bytes.`,
      );
      return undefined;
    }
    const bytes = await this.#cursor.take(header.bytes);
    const filled = await this.#cursor.take(paddingOf(header.bytes));
    if (bytes.length + filled.length < header.bytes + paddingOf(header.bytes)) {
      this.#damage(
        "end-marker",
        `It is cut short at offset ${this.#offset}, inside of a long name.`,
      );
      return undefined;
    }
    return bytes.toString("utf8");
  }

  #member(header: TarHeader, extra: Readonly<Record<string, string>>): TarMember | undefined {
    const bytes = extra.size === undefined ? header.bytes : Number(extra.size);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      this.#damage("checksum", `The member at offset ${header.offset} has the size ${extra.size}.`);
      return undefined;
    }
    this.#left = kindOf(header.type) === "file" || kindOf(header.type) === "sparse" ? bytes : 0;
    this.#count += 1;
    return {
      name: extra.path ?? header.name,
      kind: "GNU.sparse.major" in extra ? "sparse" : kindOf(header.type),
      bytes: this.#left,
      mode: header.mode,
      modified: extra.mtime === undefined ? header.modified : Number(extra.mtime),
      target: extra.linkpath ?? header.target,
      offset: header.offset,
      content: () => this.#content(bytes),
    };
  }

  async *#content(bytes: number): AsyncGenerator<Buffer> {
    while (this.#left > 0) {
      const chunk = await this.#cursor.chunk(this.#left);
      if (chunk === undefined) {
        this.#cut = true;
        this.#damage(
          "end-marker",
          `It is cut short at offset ${this.#offset}: of the ${bytes} bytes of its last member, ${this.#left} are missing.`,
        );
        this.#left = 0;
        return;
      }
      this.#left -= chunk.length;
      yield chunk;
    }
  }

  /** Goes to the next header; false where there cannot be one. */
  async #leave(member: TarMember): Promise<boolean> {
    for await (const _ of this.#content(member.bytes));
    if (this.#cut) return false;
    const padding = paddingOf(member.bytes);
    const filled = await this.#cursor.take(padding);
    if (filled.length === padding) return true;
    this.#damage(
      "end-marker",
      `It is cut short at offset ${this.#offset}, behind the member ${member.name}.`,
    );
    return false;
  }

  #hold(member: TarMember): void {
    const { name, offset, kind, target } = member;
    if (this.#count > this.#options.members) {
      this.#doubt("bomb", `It has more than ${this.#options.members} members.`);
    }
    const plain = name.replace(/^(\.\/+)+/, "").replace(/\/+$/, "");
    if (leadsOut(plain)) {
      this.#doubt(
        "hostile",
        `The member ${JSON.stringify(name)} at offset ${offset} leads out of the folder it would be unpacked to.`,
      );
    }
    if ((kind === "symbolic-link" || kind === "hard-link") && linkLeadsOut(plain, target, kind)) {
      this.#doubt(
        "hostile",
        `The link ${JSON.stringify(name)} at offset ${offset} leads out of the folder it would be unpacked to, to ${JSON.stringify(target)}.`,
      );
    }
    if (kind === "device" || kind === "other") {
      this.#doubt(
        "hostile",
        `The member ${JSON.stringify(name)} at offset ${offset} is a device or something else that is no file.`,
      );
    }
    if (kind === "sparse") {
      this.#doubt(
        "format",
        `The member ${JSON.stringify(name)} at offset ${offset} is stored with its holes left out, which is not read here.`,
      );
    }
    if (this.#names.has(plain) && kind !== "folder") {
      this.#doubt(
        "members",
        `The member ${JSON.stringify(name)} at offset ${offset} is there a second time, and would replace the first.`,
      );
    }
    this.#names.add(plain);
  }

  #damage(detector: Fault["detector"], what: string): void {
    this.#options.onFault({ detector, weight: "damage", subject: this.#options.subject, what });
  }

  #doubt(detector: Fault["detector"], what: string): void {
    this.#options.onFault({ detector, weight: "doubt", subject: this.#options.subject, what });
  }
}

function paddingOf(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK;
}

function kindOf(type: string): TarMember["kind"] {
  switch (type) {
    case "0":
    case "\0":
    case "7":
      return "file";
    case "1":
      return "hard-link";
    case "2":
      return "symbolic-link";
    case "3":
    case "4":
    case "6":
      return "device";
    case "5":
      return "folder";
    case "S":
      return "sparse";
    default:
      return "other";
  }
}

function leadsOut(path: string): boolean {
  return path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path) || path.split(/[\\/]/).includes("..");
}

/** Whether a link, from where it lies, goes above the folder that the archive is unpacked to. */
function linkLeadsOut(name: string, target: string, kind: "symbolic-link" | "hard-link"): boolean {
  if (target.startsWith("/")) return true;
  let depth = kind === "symbolic-link" ? name.split("/").length - 1 : 0;
  for (const part of target.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
