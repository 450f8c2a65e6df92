import { once } from "node:events";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ByteSearch } from "./byte-search.ts";
import { MAGIC_LENGTH, type Packing, packingOf, unpacker, unpackZstd } from "./inflate.ts";
import type { Matcher } from "./matcher.ts";
import { canOpen, openPacked, type PackedFile } from "./packed-file.ts";
import { TarMap, type TarMember } from "./tar-map.ts";

/** A needle in a layer. */
export interface LayerHit {
  readonly needle: number;
  /** Of the file; undefined when the layer, or what is left of it, is no tar archive. */
  readonly path: string | undefined;
  /** Of the file within the packed one at `path`, where that is an archive. */
  readonly within: string | undefined;
  /** In the name or attributes, not in the content. */
  readonly inName: boolean;
}

/** What came of searching one layer. */
export interface SearchedLayer {
  readonly hits: readonly LayerHit[];
  /** Bytes of the layer, unpacked. */
  readonly bytes: number;
  /** What could not be searched; each completes "layer X: ...". */
  readonly notes: readonly string[];
}

/** Whoever has a secret in a thousand files needs no longer list. */
const MOST_HITS = 50;
const MOST_NAMED = 3;

/**
 * Searches a layer as it streams by: its bytes unpacked, names and links included, and the packed
 * files in it unpacked once more. What is no tar archive is searched as it is.
 *
 * @throws what the stream says; the unpacker's error for a layer that cannot be unpacked.
 */
export async function searchLayer(
  layer: Readable,
  matcher: Matcher,
  signal: AbortSignal,
): Promise<SearchedLayer> {
  const packing = packingOf(await firstBytes(layer, signal));
  const search = new LayerSearch(matcher, packing);
  const read = async (pieces: AsyncIterable<Buffer>) => {
    for await (const piece of pieces) await search.push(piece);
  };
  if (packing === "gzip") await pipeline(layer, unpacker(packing), read, { signal });
  else if (packing === "zstd") await pipeline(layer, unpackZstd, read, { signal });
  else await pipeline(layer, read, { signal });
  return await search.end();
}

/** Looks at what comes first, and leaves it there. */
async function firstBytes(stream: Readable, signal: AbortSignal): Promise<Buffer> {
  for (;;) {
    const head = stream.read(MAGIC_LENGTH) as Buffer | null;
    if (head !== null) {
      stream.unshift(head);
      return head;
    }
    if (stream.readableEnded) return Buffer.alloc(0);
    const stop = new AbortController();
    const either = { signal: AbortSignal.any([signal, stop.signal]) };
    try {
      await Promise.race([once(stream, "readable", either), once(stream, "end", either)]);
    } finally {
      stop.abort();
    }
  }
}

class LayerSearch {
  readonly #matcher: Matcher;
  readonly #search: ByteSearch;
  readonly #tar: TarMap;
  readonly #packing: Packing;
  readonly #hits = new Map<string, LayerHit>();
  readonly #undecided: { readonly needle: number; readonly offset: number }[] = [];
  readonly #unreadable: string[] = [];
  #work: (() => Promise<void>)[] = [];
  #packed: PackedFile | undefined;
  #head: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(matcher: Matcher, packing: Packing) {
    this.#matcher = matcher;
    this.#packing = packing;
    this.#tar = new TarMap((member, piece, last) => this.#content(member, piece, last));
    this.#search = new ByteSearch(matcher, (needle, offset) => {
      if (this.#undecided.length < 100 * MOST_HITS) this.#undecided.push({ needle, offset });
    });
  }

  async push(piece: Buffer): Promise<void> {
    this.#bytes += piece.length;
    this.#tar.push(piece);
    this.#search.push(piece);
    const work = this.#work;
    this.#work = [];
    for (const step of work) await step();
    this.#decide(this.#tar.known);
    this.#tar.forget(this.#bytes - this.#matcher.longest - piece.length);
  }

  async end(): Promise<SearchedLayer> {
    await this.#endPacked();
    this.#decide(Infinity);
    return { hits: [...this.#hits.values()], bytes: this.#bytes, notes: this.#notes() };
  }

  /** Finds the files of what was found, as far as it is known which they are. */
  #decide(known: number): void {
    for (const { needle, offset } of this.#undecided.splice(0)) {
      if (offset >= known) {
        this.#undecided.push({ needle, offset });
        continue;
      }
      const member = this.#tar.at(offset);
      const inName = member !== undefined && offset < member.content;
      this.#hit({ needle, path: member?.path, within: undefined, inName });
    }
  }

  #hit(hit: LayerHit): void {
    const key = JSON.stringify([hit.needle, hit.path, hit.within, hit.inName]);
    if (this.#hits.size < MOST_HITS) this.#hits.set(key, hit);
  }

  /** The content of a file: where it is packed, there is work to do before the next piece. */
  #content(member: TarMember, piece: Buffer, last: boolean): void {
    if (member.content !== this.#began) {
      this.#began = member.content;
      this.#head = Buffer.alloc(0);
      this.#isPacked = undefined;
    }
    if (this.#isPacked === undefined) {
      const before = this.#head;
      const head = piece.subarray(0, MAGIC_LENGTH);
      this.#head = before.length === 0 ? head : Buffer.concat([before, head]);
      if (this.#head.length < MAGIC_LENGTH && !last) {
        this.#head = Buffer.from(this.#head);
        return;
      }
      const packing = packingOf(this.#head);
      this.#isPacked = canOpen(packing);
      if (!canOpen(packing)) return;
      this.#work.push(
        () => this.#open(member, packing),
        () => this.#feed(before),
      );
    }
    if (!this.#isPacked) return;
    this.#work.push(() => this.#feed(piece));
    if (last) this.#work.push(() => this.#endPacked());
  }

  #began = -1;
  #isPacked: boolean | undefined;

  async #open({ path }: TarMember, packing: Parameters<typeof openPacked>[1]): Promise<void> {
    await this.#endPacked();
    this.#packed = openPacked(path, packing, this.#matcher, (needle, within, inName) =>
      this.#hit({ needle, path, within, inName }),
    );
  }

  async #feed(piece: Buffer): Promise<void> {
    await this.#packed?.push(piece);
  }

  async #endPacked(): Promise<void> {
    const packed = this.#packed;
    this.#packed = undefined;
    if (packed !== undefined && !(await packed.end())) this.#unreadable.push(packed.path);
  }

  #notes(): string[] {
    const notes: string[] = [];
    if (this.#packing === "xz" || this.#packing === "bzip2" || this.#packing === "zip") {
      notes.push(`it is packed by ${this.#packing}, and was searched as it is, not unpacked`);
    } else if (this.#tar.broken !== undefined) {
      notes.push("it is no tar archive, and was searched as it is");
    }
    const { length } = this.#unreadable;
    if (length > 0) {
      const named = this.#unreadable.slice(0, MOST_NAMED).join(", ");
      const more = length > MOST_NAMED ? ` and ${length - MOST_NAMED} more` : "";
      notes.push(`what looks packed and cannot be unpacked was searched as it is: ${named}${more}`);
    }
    return notes;
  }
}
