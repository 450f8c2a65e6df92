/** What is kept of one line: a program that never ends its line must not fill the memory. */
const LONGEST_LINE = 1024 * 1024;
/** What is held beyond that, so that a secret at the cut is still seen as a whole. */
const MARGIN = 65_536;
const BREAK = /\r\n|\r|\n/g;

/**
 * Takes a stream of text apart into whole lines, whichever way its chunks are cut. LF, CRLF and a
 * lone CR (as progress bars print it) end a line; U+2028 does not, for JSON may hold it.
 */
export class Lines {
  #begun = "";
  #afterReturn = false;
  readonly #redact: (text: string) => string;
  readonly #onLine: (line: string) => void;

  /** Each line is redacted as a whole, then cut to 1 Mi characters. */
  constructor(redact: (text: string) => string, onLine: (line: string) => void) {
    this.#redact = redact;
    this.#onLine = onLine;
  }

  append(chunk: string): void {
    if (chunk === "") return;
    // A CRLF cut in two: its CR has ended the line already.
    const text = this.#afterReturn && chunk.startsWith("\n") ? chunk.slice(1) : chunk;
    this.#afterReturn = chunk.endsWith("\r");
    let from = 0;
    for (const { index, 0: end } of text.matchAll(BREAK)) {
      this.#hold(text.slice(from, index));
      this.#emit();
      from = index + end.length;
    }
    this.#hold(text.slice(from));
  }

  /** The stream is over: what stands there is its last line. */
  end(): void {
    if (this.#begun !== "") this.#emit();
  }

  #hold(text: string): void {
    this.#begun += text.slice(0, LONGEST_LINE + MARGIN - this.#begun.length);
  }

  #emit(): void {
    const line = this.#redact(this.#begun);
    this.#begun = "";
    this.#onLine(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line);
  }
}
