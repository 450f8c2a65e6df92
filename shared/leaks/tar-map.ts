const BLOCK = 512;
/** Names longer than this are not read; their bytes are searched like all others. */
const LONGEST_NAME = 1_048_576;

/** A member of a tar archive: where it stands, counted from the archive's first byte. */
export interface TarMember {
  readonly path: string;
  /** Of a link. */
  readonly target: string;
  readonly isFile: boolean;
  /** Where its headers begin, its content begins, and it ends. */
  readonly from: number;
  readonly content: number;
  readonly end: number;
}

/** Is given the content of regular files, in pieces. */
export type OnContent = (member: TarMember, piece: Buffer, last: boolean) => void;

/** What the bytes at hand are, of how many they are, and how many are still to come. */
type Part = { readonly size: number; left: number } & (
  | { readonly kind: "header" | "padding" | "rest" }
  | { readonly kind: "text"; readonly type: string }
  | { readonly kind: "content"; readonly member: TarMember }
);

const header = (): Part => ({ kind: "header", size: BLOCK, left: BLOCK });
/** After the end, or of what is no archive. */
const rest = (): Part => ({ kind: "rest", size: Infinity, left: Infinity });

/** Contents fill whole blocks. */
function padding(size: number): Part {
  const left = paddingOf(size);
  return left === 0 ? header() : { kind: "padding", size: left, left };
}

/**
 * Follows a tar archive as it streams by and remembers which member stands where. What is not a
 * tar archive, or is a broken one, is no error: from there on nothing is known of it.
 *
 * Source: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar's manual,
 * "Basic Tar Format", for long names and large sizes.
 */
export class TarMap {
  /** How far it is known what stands where. */
  known = 0;
  /** Where it stopped being a tar archive; undefined while it is one, or ended as one. */
  broken: number | undefined;
  #members: TarMember[] = [];
  #offset = 0;
  #part: Part = header();
  #gathered: Buffer[] = [];
  #extended: { from: number; path?: string; target?: string; size?: number } | undefined;
  readonly #onContent: OnContent;

  constructor(onContent: OnContent = () => {}) {
    this.#onContent = onContent;
  }

  push(data: Buffer): void {
    let left = data;
    while (left.length > 0) left = left.subarray(this.#take(left));
    const waiting = this.#part.left - this.#part.size;
    const begun = this.#part.kind === "header" ? this.#offset + waiting : this.#offset;
    this.known = this.#extended?.from ?? begun;
  }

  /** The member at an offset, once `known` is past it. */
  at(offset: number): TarMember | undefined {
    return this.#members.findLast(({ from, end }) => from <= offset && offset < end);
  }

  /** Forgets all that ends before an offset. */
  forget(before: number): void {
    if (this.#members.length < 1_000) return;
    this.#members = this.#members.filter(({ end }) => end > before);
  }

  /** Takes from the data what belongs to the part at hand; gives how much that was. */
  #take(data: Buffer): number {
    const part = this.#part;
    const piece = data.subarray(0, part.left);
    this.#offset += piece.length;
    part.left -= piece.length;
    if (part.kind === "header" || part.kind === "text") {
      // A copy of what waits for more: the piece's own memory may be used again.
      this.#gathered.push(part.left === 0 ? piece : Buffer.from(piece));
    }
    if (part.kind === "content" && part.member.isFile) {
      this.#onContent(part.member, piece, part.left === 0);
    }
    if (part.left === 0) this.#part = this.#next(part);
    return piece.length;
  }

  #next(part: Part): Part {
    if (part.kind === "padding") return header();
    if (part.kind === "content") return padding(part.size);
    const [first, ...others] = this.#gathered;
    const bytes =
      first !== undefined && others.length === 0 ? first : Buffer.concat(this.#gathered);
    this.#gathered = [];
    if (part.kind === "header") return this.#header(bytes);
    if (part.kind === "text") this.#learn(part.type, bytes);
    return padding(part.size);
  }

  #header(block: Buffer): Part {
    const from = this.#offset - BLOCK;
    const sum = sumOf(block);
    if (sum === EMPTY_SUM) return rest();
    if (!isHeader(block, sum)) {
      this.broken = from;
      return rest();
    }
    const type = String.fromCharCode(block[156] ?? 0);
    const stated = sizeIn(block);
    if (/[xgLK]/.test(type) && stated > 0 && stated <= LONGEST_NAME) {
      this.#extended ??= { from };
      return { kind: "text", type, size: stated, left: stated };
    }
    return this.#begin(block, type, from);
  }

  #begin(block: Buffer, type: string, from: number): Part {
    const extended = this.#extended;
    this.#extended = undefined;
    // Links and folders have no content, whatever their header says of its size.
    const size = /[1-6]/.test(type) ? 0 : (extended?.size ?? sizeIn(block));
    const end = this.#offset + size + paddingOf(size);
    const member: TarMember = {
      path: extended?.path ?? nameIn(block),
      target: extended?.target ?? textIn(block, 157, 100),
      isFile: type === "0" || type === "\0" || type === "7",
      from: extended?.from ?? from,
      content: this.#offset,
      end,
    };
    this.#members.push(member);
    return size === 0 ? header() : { kind: "content", member, size, left: size };
  }

  #learn(type: string, text: Buffer): void {
    const known = this.#extended;
    if (known === undefined || type === "g") return;
    if (type === "L") known.path = upToNul(text);
    else if (type === "K") known.target = upToNul(text);
    else this.#learnRecords(text);
  }

  /** Each record is its own length in bytes, a space, key=value and a line break. */
  #learnRecords(text: Buffer): void {
    for (let at = 0; at < text.length; ) {
      const space = text.indexOf(0x20, at);
      const length = Number(text.toString("latin1", at, Math.max(space, at)));
      if (space < 0 || !(length > 0)) return;
      const record = text.toString("utf8", space + 1, at + length - 1);
      const equals = record.indexOf("=");
      const value = record.slice(equals + 1);
      const known = this.#extended;
      if (known === undefined) return;
      if (record.startsWith("path=")) known.path = value;
      if (record.startsWith("linkpath=")) known.target = value;
      if (record.startsWith("size=") && /^\d{1,15}$/.test(value)) known.size = Number(value);
      at += length;
    }
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

const SUM_AT = 148;
const SUM_LENGTH = 8;
/** Of a block of zeros only. */
const EMPTY_SUM = SUM_LENGTH * 0x20;

/** The sum of all bytes, with the sum's own field taken as spaces. */
function sumOf(block: Buffer): number {
  let sum = EMPTY_SUM;
  for (let at = 0; at < SUM_AT; at += 1) sum += block[at] ?? 0;
  for (let at = SUM_AT + SUM_LENGTH; at < BLOCK; at += 1) sum += block[at] ?? 0;
  return sum;
}

function isHeader(block: Buffer, sum: number): boolean {
  const size = sizeIn(block);
  return sum === octal(block, SUM_AT, SUM_LENGTH) && Number.isSafeInteger(size) && size >= 0;
}

/** Sizes of 8 GiB and more are binary, as the first bit says. */
function sizeIn(block: Buffer): number {
  if (((block[124] ?? 0) & 0x80) === 0) return octal(block, 124, 12);
  return Number(block.readBigUInt64BE(128));
}

/** Digits between spaces or zeros; 0 when there are none. */
function octal(block: Buffer, from: number, length: number): number {
  let value = 0;
  let digits = 0;
  for (let at = from; at < from + length; at += 1) {
    const byte = block[at] ?? 0;
    if (byte >= 0x30 && byte <= 0x37) {
      value = value * 8 + byte - 0x30;
      digits += 1;
    } else if (digits > 0 || (byte !== 0x20 && byte !== 0)) {
      break;
    }
  }
  return value;
}

function nameIn(block: Buffer): string {
  const name = textIn(block, 0, 100);
  // GNU's own format keeps times where POSIX has the first part of a long name.
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textIn(block, 345, 155) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

function textIn(block: Buffer, from: number, length: number): string {
  return upToNul(block.subarray(from, from + length));
}

function upToNul(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
}
