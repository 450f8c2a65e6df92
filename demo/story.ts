/** Tells people what happens, with the seconds since the beginning. */
export class Story {
  readonly #stream: NodeJS.WriteStream;
  readonly #began = performance.now();
  readonly #colours: boolean;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#colours = stream.isTTY === true && !process.env.NO_COLOR;
  }

  /** A new part of the story. */
  chapter(title: string): void {
    this.#print(`\n${this.#paint(1, title)}`);
  }

  tell(text: string): void {
    this.#line(text);
  }

  good(text: string): void {
    this.#line(this.#paint(32, text));
  }

  bad(text: string): void {
    this.#line(this.#paint(31, text));
  }

  /** Words of somebody else, beneath what was just told. */
  quote(text: string): void {
    for (const line of wrap(text, 86)) this.#print(`          ${this.#paint(2, line)}`);
  }

  #line(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(1);
    this.#print(`${seconds.padStart(7)} s  ${text}`);
  }

  #print(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  #paint(colour: number, text: string): string {
    return this.#colours ? `\u001b[${colour}m${text}\u001b[0m` : text;
  }
}

/** Breaks text into lines at spaces; a word that is longer than a line keeps one to itself. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
