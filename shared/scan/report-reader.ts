import { FormatError } from "../failure/index.ts";

/** A value of a scanner's report that knows its place. Whatever is not as it should be is refused. */
export class ReportPart {
  readonly value: unknown;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.value = value;
    this.#place = place;
  }

  /** @throws {FormatError} when the text is no JSON. */
  static parse(text: string): ReportPart {
    if (text.trim() === "") throw new FormatError("it printed nothing");
    try {
      return new ReportPart(JSON.parse(text), "the report");
    } catch {
      throw new FormatError("it printed something that is no JSON");
    }
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  key(name: string): ReportPart {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) {
      throw new FormatError(`${this.#place} is no mapping`);
    }
    const place = `${this.#place}.${name}`;
    return new ReportPart((this.value as Record<string, unknown>)[name], place);
  }

  items(): readonly ReportPart[] {
    if (!Array.isArray(this.value)) throw new FormatError(`${this.#place} is no list`);
    return this.value.map((item, at) => new ReportPart(item, `${this.#place}[${at}]`));
  }

  /** A list that may be left out. */
  optionalItems(): readonly ReportPart[] {
    return this.absent ? [] : this.items();
  }

  text(): string {
    if (typeof this.value === "string" && this.value !== "") return this.value;
    throw new FormatError(`${this.#place} is no text`);
  }

  optionalText(): string | undefined {
    if (this.absent || this.value === "") return undefined;
    return this.text();
  }
}
