import type { Readable } from "node:stream";

/** Cuts a stream into pieces of given lengths. */
export class Cutter {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  /** Whether it ended in the middle of a piece. */
  short = false;

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async *cut(length: number, take: (piece: Buffer) => void = () => {}): AsyncGenerator<Buffer> {
    let left = length;
    while (left > 0) {
      if (await this.atEnd()) {
        this.short = true;
        return;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      take(piece);
      yield piece;
    }
  }

  async atEnd(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return true;
      this.#rest = value;
    }
    return false;
  }
}
