import { notePassing } from "../sealing/index.ts";

/** Reads a stream of chunks in pieces of one's own size, without copying where it can. */
export class ByteCursor {
  readonly #source: AsyncIterator<Buffer>;
  #chunks: Buffer[] = [];
  #held = 0;
  #ended = false;
  /** How many bytes have been taken. */
  position = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes without taking them; fewer only at the end. */
  async peek(bytes: number): Promise<Buffer> {
    await this.#fill(bytes);
    const whole = this.#join(Math.min(bytes, this.#held));
    return whole;
  }

  /** Takes that many bytes; fewer only at the end. */
  async take(bytes: number): Promise<Buffer> {
    const taken = await this.peek(bytes);
    this.#drop(taken.length);
    return taken;
  }

  /** Takes whatever is there next, at most that many bytes; undefined at the end. */
  async chunk(most = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
    await this.#fill(1);
    const first = this.#chunks[0];
    if (first === undefined) return undefined;
    const part = first.length > most ? first.subarray(0, most) : first;
    this.#drop(part.length);
    return part;
  }

  /** Gives bytes back that were taken last. */
  unread(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#chunks.unshift(bytes);
    this.#held += bytes.length;
    this.position -= bytes.length;
  }

  /** Everything that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = await this.chunk();
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#source.return?.();
  }

  async #fill(bytes: number): Promise<void> {
    while (this.#held < bytes && !this.#ended) {
      const next = await this.#source.next();
      if (next.done === true) {
        this.#ended = true;
      } else if (next.value.length > 0) {
        notePassing(next.value.length);
        this.#chunks.push(next.value);
        this.#held += next.value.length;
      }
    }
  }

  #join(bytes: number): Buffer {
    const first = this.#chunks[0];
    if (first === undefined) return Buffer.alloc(0);
    if (first.length >= bytes) return first.subarray(0, bytes);
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole.subarray(0, bytes);
  }

  #drop(bytes: number): void {
    let left = bytes;
    while (left > 0) {
      const first = this.#chunks[0];
      if (first === undefined) break;
      if (first.length > left) {
        this.#chunks[0] = first.subarray(left);
        left = 0;
      } else {
        this.#chunks.shift();
        left -= first.length;
      }
    }
    this.#held -= bytes;
    this.position += bytes;
  }
}
