/** The last part of a stream, whatever its length: memory stays bounded. */
export class Tail {
  #text = "";
  #cut = false;
  readonly #limit: number;

  constructor(limitCharacters: number) {
    this.#limit = limitCharacters;
  }

  append(chunk: string): void {
    this.#text += chunk;
    if (this.#text.length > this.#limit) this.#cut = true;
    // Trimmed only at twice the limit, so that a long stream is not copied chunk by chunk.
    if (this.#text.length > 2 * this.#limit) this.#text = this.#text.slice(-this.#limit);
  }

  /** Whether more was appended than is kept. */
  get cut(): boolean {
    return this.#cut;
  }

  toString(): string {
    return this.#text.slice(-this.#limit);
  }
}
