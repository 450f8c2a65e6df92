import type { Transform } from "node:stream";
import {
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  type Inflate,
  type InflateRaw,
  type ZstdDecompress,
} from "node:zlib";
import type { ByteCursor } from "./byte-cursor.ts";

/** Large pieces: a hand-over between threads costs more than the work on a small one. */
const PIECE = 262_144;
/** Several pieces ahead, so that unpacking goes on while the last piece is looked at. */
const AHEAD = 3 * PIECE;

/** What is in the bytes is not what the compression allows. */
export class BrokenCompression extends Error {}

type Engine = (Inflate | InflateRaw | ZstdDecompress) & Transform;

/** zlib's streams take the options of every stream too, which their types do not say. */
const OPTIONS = { chunkSize: PIECE, readableHighWaterMark: AHEAD };

const ENGINES = {
  deflate: (): Engine => createInflateRaw(OPTIONS),
  zlib: (): Engine => createInflate(OPTIONS),
  zstd: (): Engine => createZstdDecompress(OPTIONS),
} as const;

/**
 * Unpacks one stream of deflate or zlib or one frame of zstd, in threads beside this one. The
 * cursor stands behind its last byte afterwards.
 *
 * @throws {BrokenCompression} where it is broken or ends too early.
 */
export async function* inflateOne(
  cursor: ByteCursor,
  kind: keyof typeof ENGINES,
): AsyncGenerator<Buffer> {
  const engine = ENGINES[kind]();
  const feed = new Feed(cursor, engine);
  const feeding = feed.run();
  feeding.catch((cause: unknown) => engine.destroy(cause as Error));
  try {
    for await (const piece of engine) yield piece as Buffer;
  } catch (cause) {
    if (isOfZlib(cause)) throw new BrokenCompression(cause.message);
    throw cause;
  } finally {
    feed.stop();
    engine.destroy();
    await feeding.catch(() => undefined);
    feed.giveBack();
  }
}

/** Writes chunks one by one, so that at most one of them is taken back. */
class Feed {
  readonly #cursor: ByteCursor;
  readonly #engine: Engine;
  #fed = 0;
  #last: Buffer = Buffer.alloc(0);
  #stopped = false;
  #wake: () => void = () => undefined;

  constructor(cursor: ByteCursor, engine: Engine) {
    this.#cursor = cursor;
    this.#engine = engine;
  }

  async run(): Promise<void> {
    this.#engine.once("end", () => this.stop());
    this.#engine.once("close", () => this.stop());
    while (!this.#stopped) {
      const chunk = await this.#cursor.chunk();
      if (this.#stopped) {
        if (chunk !== undefined) this.#cursor.unread(chunk);
        return;
      }
      if (chunk === undefined) {
        this.#engine.end();
        return;
      }
      this.#fed += chunk.length;
      this.#last = chunk;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#engine.write(chunk, () => resolve());
      });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  giveBack(): void {
    const unused = this.#fed - this.#engine.bytesWritten;
    if (unused > 0 && unused <= this.#last.length) {
      this.#cursor.unread(this.#last.subarray(this.#last.length - unused));
    }
  }
}

function isOfZlib(cause: unknown): cause is Error {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : "";
  return /^(Z_|ZSTD_|ERR_ZLIB|ERR_ZSTD|ERR_BUFFER_TOO)/.test(String(code));
}
