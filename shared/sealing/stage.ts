import { pipeline, Readable, type Transform } from "node:stream";
import { notePassing } from "./dead-buffers.ts";

/** What becomes of a stream's bytes on their way: compressed, decrypted, counted. */
export type Stage = (content: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;

/**
 * The stream behind all stages. Whoever destroys it destroys the content too, also while that is
 * being waited for; what fails on the way fails the stream.
 */
export function through(content: Readable, ...stages: readonly Stage[]): Readable {
  let bytes: AsyncIterable<Buffer> = buffers(content);
  for (const stage of stages) bytes = stage(bytes);
  const iterator = bytes[Symbol.asyncIterator]();
  // Readable.from would wait, when destroyed, for a content that may never come.
  return new Readable({
    highWaterMark: 1 << 20,
    read() {
      nextOf(iterator).then(
        (chunk) => this.push(chunk),
        (error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      content.destroy();
      iterator.return?.().catch(() => {});
      done(error);
    },
  });
}

/** The next bytes, at least one; null at the end. */
async function nextOf(iterator: AsyncIterator<Buffer>): Promise<Buffer | null> {
  for (;;) {
    const { value, done } = await iterator.next();
    if (done === true) return null;
    notePassing(value.length);
    if (value.length > 0) return value;
  }
}

async function* buffers(content: Readable): AsyncIterable<Buffer> {
  for await (const chunk of content as AsyncIterable<Buffer | Uint8Array | string>) {
    notePassing(chunk.length);
    if (Buffer.isBuffer(chunk)) yield chunk;
    else if (typeof chunk === "string") yield Buffer.from(chunk);
    else yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

/**
 * The same bytes in pieces of one size; only the last is smaller, and there is none for no bytes
 * at all.
 *
 * @param room gives what a piece is put into, for whoever has some to use again.
 */
export async function* inPieces(
  content: AsyncIterable<Buffer>,
  size: number,
  room: () => Buffer = () => Buffer.allocUnsafe(size),
) {
  let piece = room();
  let used = 0;
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(piece, used, at);
      at += taken;
      used += taken;
      if (used < size) continue;
      yield piece;
      piece = room();
      used = 0;
    }
  }
  if (used > 0) yield piece.subarray(0, used);
}

/**
 * Bytes by way of one of Node.js' own transforms.
 *
 * @param trouble the error for what the transform fails with; what the content itself fails with
 *   is thrown as it is.
 */
export async function* piped(
  content: AsyncIterable<Buffer>,
  transform: Transform,
  trouble: (error: NodeJS.ErrnoException) => Error,
): AsyncIterable<Buffer> {
  let failed: { readonly error: unknown } | undefined;
  async function* watched() {
    const iterator = content[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next().catch((error: unknown) => {
          failed = { error };
          throw error;
        });
        if (next.done === true) return;
        // Where the transform fails, its error is thrown here, and is none of the content.
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  // It ends the one when the other fails, in both directions; what failed shows below.
  pipeline(Readable.from(watched(), { objectMode: false }), transform, () => {});
  try {
    for await (const chunk of transform) yield chunk as Buffer;
  } catch (error) {
    throw failed === undefined ? trouble(error as NodeJS.ErrnoException) : failed.error;
  }
}
