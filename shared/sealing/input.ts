/** Bytes that can be looked at before they are taken. */
export class Input {
  readonly #content: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  readonly #tooShort: () => Error;

  /** @param tooShort what is thrown where the bytes end before those that are asked for. */
  constructor(content: AsyncIterable<Buffer>, tooShort: () => Error) {
    this.#tooShort = tooShort;
    this.#content = content[Symbol.asyncIterator]();
  }

  async atEnd(): Promise<boolean> {
    while (this.#rest.length === 0) if (!(await this.#more())) return true;
    return false;
  }

  /** So many of the next bytes, which stay. */
  async peek(count: number): Promise<Buffer> {
    while (this.#rest.length < count) if (!(await this.#more())) throw this.#tooShort();
    return this.#rest.subarray(0, count);
  }

  /** So many of the next bytes, which are gone then. */
  async *take(count: number): AsyncIterable<Buffer> {
    for (let left = count; left > 0; ) {
      if (await this.atEnd()) throw this.#tooShort();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }

  /** All that are left. */
  async *rest(): AsyncIterable<Buffer> {
    while (!(await this.atEnd())) {
      const chunk = this.#rest;
      this.#rest = Buffer.alloc(0);
      yield chunk;
    }
  }

  /**
   * The next bytes up to a line feed, which is gone too, and not among them; undefined where there
   * is none within so many bytes.
   */
  async line(longest: number): Promise<string | undefined> {
    for (;;) {
      const end = this.#rest.subarray(0, longest + 1).indexOf(0x0a);
      if (end >= 0) {
        const line = this.#rest.toString("latin1", 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      if (this.#rest.length > longest || !(await this.#more())) return undefined;
    }
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#content.next();
    if (done === true) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}
