import { Readable } from "node:stream";

/** How many pieces may wait for the one that reads along. */
const MOST_WAITING = 16;

/** A stream that somebody reads along while it goes to where it is stored. */
export interface ReadAlong<T> {
  /** Ends only when the one that reads along has found nothing wrong; fails with its error else. */
  readonly content: Readable;
  readonly result: Promise<T>;
}

/**
 * Lets somebody read a stream along with the one that it is for; the slower sets the pace.
 *
 * @param read its chunks end early where the stream is given up.
 */
export function readAlong<T>(
  source: AsyncIterable<Buffer>,
  read: (chunks: AsyncIterable<Buffer>) => Promise<T>,
): ReadAlong<T> {
  const queue = new Queue();
  let failed: { readonly error: unknown } | undefined;
  const result = read(queue).finally(() => queue.close());
  result.catch((error: unknown) => {
    failed = { error };
  });
  async function* content(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        await queue.put(chunk);
        if (failed !== undefined) throw failed.error;
        yield chunk;
      }
      queue.end();
      await result;
    } catch (error) {
      queue.fail(error);
      throw error;
    } finally {
      queue.fail(new Error("the stream was given up"));
    }
  }
  return { content: Readable.from(content(), { objectMode: false }), result };
}

class Queue implements AsyncIterable<Buffer> {
  readonly #waiting: Buffer[] = [];
  #ended = false;
  #closed = false;
  #error: { readonly error: unknown } | undefined;
  #changed = Promise.withResolvers<void>();

  async put(chunk: Buffer): Promise<void> {
    while (this.#waiting.length >= MOST_WAITING && !this.#closed) await this.#changed.promise;
    if (this.#closed) return;
    this.#waiting.push(chunk);
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  fail(error: unknown): void {
    if (!this.#ended) this.#error ??= { error };
    this.#tell();
  }

  /** Nobody reads any more. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#tell();
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#waiting.shift();
      if (chunk !== undefined) {
        this.#tell();
        yield chunk;
      } else if (this.#error !== undefined) {
        throw this.#error.error;
      } else if (this.#ended) {
        return;
      } else {
        await this.#changed.promise;
      }
    }
  }
}
