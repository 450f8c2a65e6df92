import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { BrokenSeal } from "./broken-seal.ts";
import { inPieces, piped, type Stage } from "./stage.ts";
import { unpackZstd } from "./zstd-frames.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Which levels there are, and the one that is taken where none is given. */
export const LEVELS = {
  gzip: { lowest: 1, highest: 9, usual: 6 },
  zstd: { lowest: 1, highest: 19, usual: 3 },
} as const;

const gzip = promisify(zlib.gzip);

/**
 * Blocks are compressed side by side, each on its own: a gzip member or a zstd frame, of which the
 * formats allow any number in a file. Larger ones compress no better: zstd looks back 2 MB at its
 * usual level, gzip 32 KB.
 */
const BLOCK = { gzip: 1 << 20, zstd: 2 << 20 } as const;
/** More than the threads that Node.js has for it would only wait, with their bytes in memory. */
const SIDE_BY_SIDE = Math.max(2, Math.min(4, availableParallelism()));

/** Compresses a stream; what comes out is read by `gzip -d` or `zstd -d`. */
export function compression(method: Compression, level?: number): Stage {
  if (method === "none") return (content) => content;
  const compress = blockCompressor(method, level ?? LEVELS[method].usual);
  return async function* compressed(content) {
    const waiting: Promise<Buffer>[] = [];
    let any = false;
    // Used again and again: dead blocks would lie about until V8 looks at what is old.
    const free: Buffer[] = [];
    const room = () => free.pop() ?? Buffer.allocUnsafeSlow(BLOCK[method]);
    for await (const block of inPieces(content, BLOCK[method], room)) {
      any = true;
      const result = compress(block).then((packed) => {
        if (block.length === BLOCK[method]) free.push(block);
        return packed;
      });
      // It is awaited below; should an earlier one fail, nobody would.
      result.catch(() => {});
      waiting.push(result);
      if (waiting.length >= SIDE_BY_SIDE) yield await (waiting.shift() as Promise<Buffer>);
    }
    // Of no bytes, too, there is a member or frame: an empty file would be damage.
    if (!any) waiting.push(compress(Buffer.alloc(0)));
    for (const result of waiting) yield await result;
  };
}

function blockCompressor(method: "gzip" | "zstd", level: number) {
  if (method === "zstd") return zstdLanes(level);
  return (block: Buffer) => gzip(block, { level, chunkSize: CHUNK });
}

const CHUNK = 256 * 1024;

/**
 * Compressors that are used again and again, each for one block at a time. One for each block would
 * leave its memory behind in each of Node.js' threads, 50 MB of it.
 */
function zstdLanes(level: number): (block: Buffer) => Promise<Buffer> {
  const free: FrameWriter[] = [];
  return async (block) => {
    const writer = free.pop() ?? new FrameWriter(level);
    const frame = await writer.frame(block);
    free.push(writer);
    return frame;
  };
}

/** Makes one zstd frame after the other with the same memory. */
class FrameWriter {
  readonly #zstd: zlib.ZstdCompress;
  #pieces: Buffer[] = [];
  #failed: (error: Error) => void = () => {};

  constructor(level: number) {
    const params = {
      [zlib.constants.ZSTD_c_compressionLevel]: level,
      [zlib.constants.ZSTD_c_checksumFlag]: 1,
    };
    this.#zstd = zlib.createZstdCompress({ chunkSize: CHUNK, params });
    this.#zstd.on("data", (piece: Buffer) => this.#pieces.push(piece));
    this.#zstd.on("error", (error) => this.#failed(error));
  }

  async frame(block: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve, reject) => {
      this.#failed = reject;
      this.#zstd.write(block);
      this.#zstd.flush(zlib.constants.ZSTD_e_end, resolve);
    });
    // What the stream has not handed over yet belongs to this frame, not to the next.
    while (this.#zstd.readableLength > 0) await setImmediate();
    const pieces = this.#pieces;
    this.#pieces = [];
    return Buffer.concat(pieces);
  }
}

/**
 * Decompresses a stream: any number of gzip members or zstd frames.
 *
 * @throws {BrokenSeal} from the stage, where it is no such stream, or ends too early.
 */
export function decompression(method: Compression): Stage {
  if (method === "none") return (content) => content;
  return method === "zstd" ? unpackZstd : unpackGzip;
}

async function* unpackGzip(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let any = false;
  async function* noted() {
    for await (const chunk of content) {
      if (chunk.length > 0) any = true;
      yield chunk;
    }
  }
  const empty = () => new BrokenSeal("compression", "is empty, where gzip data should be");
  const trouble = (error: NodeJS.ErrnoException) => (any ? gzipTrouble(error) : empty());
  yield* piped(noted(), zlib.createGunzip({ chunkSize: 256 * 1024 }), trouble);
  if (!any) throw empty();
}

function gzipTrouble({ code, message }: NodeJS.ErrnoException): Error {
  if (code === "Z_BUF_ERROR") {
    return new BrokenSeal("compression", "ends in the middle of its gzip data");
  }
  return new BrokenSeal("compression", `is no sound gzip data (${message})`);
}
