import { StringDecoder } from "node:string_decoder";

const TAIL_LINES = 40;

/** The lines that one instruction prints, which come in pieces that end anywhere. */
export class StepOutput {
  /** The last of them. */
  readonly lines: string[] = [];
  readonly #streams = new Map<number, { decoder: StringDecoder; rest: string; last?: string }>();

  /** BuildKit does not keep the two streams in the order in which they were written. */
  get lastWords(): string | undefined {
    return this.#streams.get(2)?.last ?? this.#streams.get(1)?.last;
  }

  /** Takes in a piece of a stream: 1 is standard output, 2 standard error. */
  append(number: number, data: Buffer, tell: (line: string) => void): void {
    const stream = this.#streams.get(number) ?? { decoder: new StringDecoder("utf8"), rest: "" };
    this.#streams.set(number, stream);
    const text = stream.rest + stream.decoder.write(data);
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    stream.rest = lines.pop() ?? "";
    for (const line of lines) this.#keep(stream, line, tell);
  }

  /** The instruction is over: what stands there are its last lines. */
  end(tell: (line: string) => void): void {
    for (const stream of this.#streams.values()) {
      if (stream.rest !== "") this.#keep(stream, stream.rest, tell);
      stream.rest = "";
    }
  }

  #keep(stream: { last?: string }, line: string, tell: (line: string) => void): void {
    if (line.trim() !== "") stream.last = line.trim();
    this.lines.push(line);
    if (this.lines.length > TAIL_LINES) this.lines.shift();
    tell(line);
  }
}
