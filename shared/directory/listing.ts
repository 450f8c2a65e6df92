import { createHash, type Hash } from "node:crypto";
import { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Member } from "./member.ts";

const PIECE = 65_536;
const LONGEST_LINE = 65_536;

/** The members of an archive, a line of JSON each, written while the archive is. */
export class ListingWriter {
  readonly content: Readable;
  readonly #sum: Hash = createHash("sha256");
  #lines = "";
  #room = Promise.withResolvers<void>();
  members = 0;

  constructor() {
    this.content = new Readable({ read: () => this.#room.resolve() });
  }

  async add(member: Member): Promise<void> {
    this.#lines += `${JSON.stringify(member)}\n`;
    this.members += 1;
    if (this.#lines.length >= PIECE) await this.#flush();
  }

  /** Gives the hash of all that was written. */
  async end(): Promise<string> {
    await this.#flush();
    this.content.push(null);
    return this.#sum.digest("hex");
  }

  async #flush(): Promise<void> {
    if (this.#lines === "" || this.content.destroyed) return;
    const bytes = Buffer.from(this.#lines);
    this.#lines = "";
    this.#sum.update(bytes);
    this.#room = Promise.withResolvers();
    this.content.once("close", this.#room.resolve);
    if (!this.content.push(bytes)) await this.#room.promise;
    this.content.off("close", this.#room.resolve);
  }
}

/** Reads a listing as it streams by; `sha256` is there when it is at its end. */
export class ListingReader implements AsyncIterable<Member> {
  readonly #chunks: AsyncIterable<Buffer>;
  sha256 = "";
  members = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks;
  }

  /** @throws {SyntaxError} when a line is no member. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Member> {
    const sum = createHash("sha256");
    const decoder = new StringDecoder("utf8");
    let rest = "";
    for await (const chunk of this.#chunks) {
      sum.update(chunk);
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LONGEST_LINE) throw new SyntaxError("a line of the listing is too long");
      for (const line of lines) {
        this.members += 1;
        yield JSON.parse(line) as Member;
      }
    }
    if (rest !== "") throw new SyntaxError("the listing ends in the middle of a line");
    this.sha256 = sum.digest("hex");
  }
}
