import type { Matcher, OnHit } from "./matcher.ts";

/**
 * Searches bytes that come in pieces. What is cut by the border of two pieces is found too: of what
 * was there, as much is kept as the longest needle is long.
 */
export class ByteSearch {
  readonly #matcher: Matcher;
  readonly #onHit: OnHit;
  #kept: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** @param onHit is given the needle's number and where it begins, counted from the very first byte. */
  constructor(matcher: Matcher, onHit: OnHit) {
    this.#matcher = matcher;
    this.#onHit = onHit;
  }

  push(data: Buffer): void {
    const kept = this.#kept;
    const reach = this.#matcher.longest - 1;
    if (kept.length > 0) {
      // Only what begins in the kept part: the rest is found in the piece itself.
      const border = Buffer.concat([kept, data.subarray(0, reach)]);
      const from = this.#offset - kept.length;
      this.#matcher.scan(border, (needle, at) => {
        if (at < kept.length && at + this.#matcher.lengthOf(needle) > kept.length) {
          this.#onHit(needle, from + at);
        }
      });
    }
    this.#matcher.scan(data, (needle, at) => this.#onHit(needle, this.#offset + at));
    this.#offset += data.length;
    if (reach <= 0) return;
    // A copy: the piece's own memory may be used again.
    this.#kept =
      data.length >= reach
        ? Buffer.from(data.subarray(data.length - reach))
        : Buffer.concat([kept, data]).subarray(-reach);
  }
}
