import { Inflation } from "./inflate.ts";

const LOCAL_HEADER = Buffer.from("504b0304", "hex");
const HEADER_LENGTH = 30;
const DEFLATE = 8;
/** Lengths of names and extra fields are 16 bits each. */
const LONGEST_HEADER = HEADER_LENGTH + 2 * 65_536;

/** Is told of each member that is unpacked, and given what it unpacks to, in pieces. */
export interface ZipListener {
  member(path: string): void;
  data(piece: Buffer): void;
}

/**
 * Unpacks the members of a zip archive (jar, war, whl) as it streams by. Those that are stored as
 * they are stand in the archive's own bytes, and are passed over. What cannot be unpacked, such as
 * what is encrypted, is passed over too, up to the next member.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10, 4.3.7 and 4.4.4. Lengths may be missing in a header, so where a member
 * ends is known from its packed data itself.
 */
export class ZipMap {
  /** Members that could not be unpacked. */
  unreadable = 0;
  readonly #listener: ZipListener;
  #waiting: Buffer = Buffer.alloc(0);
  #member: Inflation | undefined;

  constructor(listener: ZipListener) {
    this.#listener = listener;
  }

  async push(piece: Buffer): Promise<void> {
    let data: Buffer = piece;
    while (data.length > 0) {
      if (this.#member === undefined) {
        const header = this.#findHeader(data);
        if (header === undefined) return;
        this.#begin(header.bytes);
        data = header.rest;
      } else {
        const used = await this.#member.push(data);
        data = data.subarray(used);
        if (this.#member.ended) this.#end();
      }
    }
  }

  end(): void {
    this.#end();
  }

  #end(): void {
    if (this.#member?.failed) this.unreadable += 1;
    this.#member?.close();
    this.#member = undefined;
  }

  /** The next header as a whole, and what follows it; undefined while more is needed. */
  #findHeader(data: Buffer): { readonly bytes: Buffer; readonly rest: Buffer } | undefined {
    const all = this.#waiting.length === 0 ? data : Buffer.concat([this.#waiting, data]);
    const from = all.indexOf(LOCAL_HEADER);
    if (from < 0) {
      this.#waiting = Buffer.from(all.subarray(-(LOCAL_HEADER.length - 1)));
      return undefined;
    }
    const bytes = all.subarray(from);
    const length = headerLength(bytes);
    if (length === undefined || bytes.length < length) {
      this.#waiting = Buffer.from(bytes.subarray(0, LONGEST_HEADER));
      return undefined;
    }
    this.#waiting = Buffer.alloc(0);
    return { bytes: bytes.subarray(0, length), rest: bytes.subarray(length) };
  }

  #begin(header: Buffer): void {
    const isEncrypted = (header.readUInt16LE(6) & 1) !== 0;
    const method = header.readUInt16LE(8);
    // What is not packed by deflate is looked through for the next header.
    if (method !== DEFLATE || isEncrypted) return;
    const nameLength = header.readUInt16LE(26);
    this.#listener.member(header.toString("utf8", HEADER_LENGTH, HEADER_LENGTH + nameLength));
    this.#member = new Inflation("zip", (piece) => this.#listener.data(piece));
  }
}

function headerLength(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_LENGTH) return undefined;
  return HEADER_LENGTH + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
}
