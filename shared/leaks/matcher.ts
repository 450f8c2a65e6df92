/** Which of the needles stands where. */
export type OnHit = (needle: number, offset: number) => void;

const BLOCK = 2;

/**
 * Finds many byte strings in one pass. Most bytes are never looked at: from the two bytes where the
 * shortest needle would end it is known how far the next possible place is.
 * Source: Wu and Manber, "A fast algorithm for multi-pattern searching" (1994), with blocks of two
 * bytes, which a table of 64 Ki tells apart without hashing.
 */
export class Matcher {
  /** Of the longest needle, in bytes. */
  readonly longest: number;
  readonly #needles: readonly Buffer[];
  /** Of the shortest needle: as many bytes of each decide how far to go. */
  readonly #window: number;
  readonly #shifts: Uint8Array;
  readonly #candidates = new Map<number, readonly number[]>();

  /** @param needles each of two bytes or more. */
  constructor(needles: readonly Buffer[]) {
    this.#needles = needles;
    this.longest = Math.max(0, ...needles.map(({ length }) => length));
    this.#window = Math.min(255, ...needles.map(({ length }) => length));
    this.#shifts = new Uint8Array(2 ** 16).fill(Math.max(0, this.#window - BLOCK + 1));
    needles.forEach((needle, index) => {
      this.#learn(needle, index);
    });
  }

  #learn(needle: Buffer, index: number): void {
    for (let end = BLOCK; end <= this.#window; end += 1) {
      const block = needle.readUInt16LE(end - BLOCK);
      const shift = Math.min(this.#shifts[block] ?? 0, this.#window - end);
      this.#shifts[block] = shift;
    }
    const last = needle.readUInt16LE(this.#window - BLOCK);
    this.#candidates.set(last, [...(this.#candidates.get(last) ?? []), index]);
  }

  /** How many bytes a needle has. */
  lengthOf(needle: number): number {
    return this.#needles[needle]?.length ?? 0;
  }

  /** Every place of every needle that lies whole within the data. */
  scan(data: Buffer, onHit: OnHit): void {
    if (this.#needles.length === 0) return;
    const shifts = this.#shifts;
    const { length } = data;
    let at = this.#window - 1;
    while (at < length) {
      const block = (data[at - 1] as number) | ((data[at] as number) << 8);
      const shift = shifts[block] as number;
      if (shift > 0) {
        at += shift;
      } else {
        this.#compare(data, at - this.#window + 1, block, onHit);
        at += 1;
      }
    }
  }

  #compare(data: Buffer, from: number, block: number, onHit: OnHit): void {
    for (const index of this.#candidates.get(block) ?? []) {
      const needle = this.#needles[index] as Buffer;
      if (data[from] !== needle[0] || from + needle.length > data.length) continue;
      if (data.compare(needle, 0, needle.length, from, from + needle.length) === 0) {
        onHit(index, from);
      }
    }
  }
}
