import type { Transform } from "node:stream";
import { ByteSearch } from "./byte-search.ts";
import { type Packing, unpacker } from "./inflate.ts";
import type { Matcher } from "./matcher.ts";
import { TarMap } from "./tar-map.ts";

/** What a file unpacks to beyond this is not searched: such files are made to break programs. */
const MOST_BYTES = 2 ** 32;

/** Is told of a needle, and of the file in the packed one where that is a tar archive. */
type OnHit = (needle: number, within: string | undefined, inName: boolean) => void;

/** A packed file within a layer, searched as it streams by. */
export class PackedFile {
  readonly path: string;
  readonly #through: Transform;
  readonly #search: ByteSearch;
  readonly #tar = new TarMap();
  readonly #longest: number;
  readonly #onHit: OnHit;
  #undecided: { readonly needle: number; readonly offset: number }[] = [];
  #bytes = 0;
  #failed = false;
  #ended = false;
  /** Lets whoever waits for the unpacker go on when it needs no more. */
  #settle: () => void = () => {};

  static canOpen(packing: Packing): boolean {
    return packing === "gzip" || packing === "zstd";
  }

  constructor(path: string, packing: Packing, matcher: Matcher, onHit: OnHit) {
    this.path = path;
    this.#longest = matcher.longest;
    this.#onHit = onHit;
    this.#search = new ByteSearch(matcher, (needle, offset) => {
      if (this.#undecided.length < 1_000) this.#undecided.push({ needle, offset });
    });
    const through = unpacker(packing);
    if (through === undefined) throw new Error(`${packing} cannot be unpacked`);
    this.#through = through;
    through.on("data", (data: Buffer) => this.#take(data));
    through.on("error", () => {
      this.#failed = true;
      this.#settle();
    });
    through.on("end", () => {
      this.#ended = true;
      this.#settle();
    });
  }

  /** Waits until the piece was unpacked and searched. */
  async push(piece: Buffer): Promise<void> {
    if (this.#failed || this.#ended || piece.length === 0) return;
    await new Promise<void>((resolve) => {
      this.#settle = resolve;
      this.#through.write(piece, () => resolve());
    });
  }

  /** Whether all of it could be unpacked. */
  async end(): Promise<boolean> {
    if (!this.#failed && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#settle = resolve;
        this.#through.end();
      });
    }
    this.#through.destroy();
    this.#decide(Infinity);
    return !this.#failed;
  }

  #take(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > MOST_BYTES) {
      this.#through.destroy(new Error("it unpacks to more than 4 GiB"));
      return;
    }
    this.#tar.push(data);
    this.#search.push(data);
    this.#decide(this.#tar.known);
    this.#tar.forget(this.#bytes - this.#longest - data.length);
  }

  #decide(known: number): void {
    const undecided = this.#undecided;
    this.#undecided = [];
    for (const found of undecided) {
      if (found.offset >= known) {
        this.#undecided.push(found);
        continue;
      }
      const member = this.#tar.at(found.offset);
      const inName = member !== undefined && found.offset < member.content;
      this.#onHit(found.needle, member?.path, inName);
    }
  }
}
