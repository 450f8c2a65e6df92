import { ByteSearch } from "./byte-search.ts";
import { Inflation, type Packing } from "./inflate.ts";
import type { Matcher } from "./matcher.ts";
import { TarMap } from "./tar-map.ts";
import { ZipMap } from "./zip-map.ts";

/** What a file unpacks to beyond this is not searched: such files are made to break programs. */
const MOST_BYTES = 2 ** 32;

/** Is told of a needle, and of the file in the packed one where that is a tar archive. */
type OnHit = (needle: number, within: string | undefined, inName: boolean) => void;

/** A packed file within a layer, searched as it streams by. */
export interface PackedFile {
  readonly path: string;
  /** Waits until the piece was unpacked and searched. */
  push(piece: Buffer): Promise<void>;
  /** Whether all of it could be unpacked. */
  end(): Promise<boolean>;
}

type Openable = "gzip" | "zstd" | "zip";

/** Whether what is packed so can be searched. */
export function canOpen(packing: Packing): packing is Openable {
  return packing === "gzip" || packing === "zstd" || packing === "zip";
}

/** Opens a packed file. */
export function openPacked(
  path: string,
  packing: Openable,
  matcher: Matcher,
  onHit: OnHit,
): PackedFile {
  return packing === "zip"
    ? new ZipFile(path, matcher, onHit)
    : new PackedStream(path, packing, matcher, onHit);
}

/** A zip archive, member by member. */
class ZipFile implements PackedFile {
  readonly path: string;
  readonly #map: ZipMap;

  constructor(path: string, matcher: Matcher, onHit: OnHit) {
    this.path = path;
    let search: ByteSearch | undefined;
    this.#map = new ZipMap({
      member: (name) => {
        search = new ByteSearch(matcher, (needle) => onHit(needle, name, false));
      },
      data: (piece) => search?.push(piece),
    });
  }

  async push(piece: Buffer): Promise<void> {
    await this.#map.push(piece);
  }

  async end(): Promise<boolean> {
    this.#map.end();
    return this.#map.unreadable === 0;
  }
}

/** What is packed as one stream: gzip and zstd, which often hold a tar archive. */
class PackedStream implements PackedFile {
  readonly path: string;
  readonly #packing: "gzip" | "zstd";
  readonly #search: ByteSearch;
  readonly #tar = new TarMap();
  readonly #longest: number;
  readonly #onHit: OnHit;
  #inflation: Inflation;
  #undecided: { readonly needle: number; readonly offset: number }[] = [];
  #bytes = 0;

  constructor(path: string, packing: "gzip" | "zstd", matcher: Matcher, onHit: OnHit) {
    this.path = path;
    this.#packing = packing;
    this.#longest = matcher.longest;
    this.#onHit = onHit;
    this.#search = new ByteSearch(matcher, (needle, offset) => {
      if (this.#undecided.length < 1_000) this.#undecided.push({ needle, offset });
    });
    this.#inflation = this.#open();
  }

  #open(): Inflation {
    return new Inflation(this.#packing, (data) => this.#take(data));
  }

  async push(piece: Buffer): Promise<void> {
    let left: Buffer = piece;
    while (left.length > 0 && !this.#inflation.failed) {
      const used = await this.#inflation.push(left);
      left = left.subarray(used);
      if (!this.#inflation.ended) continue;
      // What follows the end of gzip is none of it; zstd has frames after frames.
      if (this.#inflation.failed || this.#packing === "gzip") return;
      this.#inflation.close();
      this.#inflation = this.#open();
    }
  }

  async end(): Promise<boolean> {
    const whole = await this.#inflation.finish();
    this.#decide(Infinity);
    return whole;
  }

  #take(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > MOST_BYTES) {
      this.#inflation.close(new Error("it unpacks to more than 4 GiB"));
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
