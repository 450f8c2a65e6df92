import { FormatError, nearestName } from "../failure/index.ts";
import type { Schema } from "./fields.ts";

/**
 * A value within structured data (YAML or JSON) that knows its place. Its readers give what they
 * read, or undefined once they have noted what is wrong; so that all problems are told at once.
 * The messages of the readers themselves quote keys, never a value.
 */
export class Part {
  readonly value: unknown;
  readonly #place: readonly string[];
  readonly #issues: Issue[];

  constructor(value: unknown, place: readonly string[], issues: Issue[]) {
    this.value = value;
    this.#place = place;
    this.#issues = issues;
  }

  /** Notes what is wrong here. */
  refuse(message: string): undefined {
    this.#issues.push({ path: this.#place, message });
    return undefined;
  }

  /** Text as it was written. What YAML took for something else is refused, for it was changed. */
  text(): string | undefined {
    const { value } = this;
    if (value === null || value === undefined) return this.refuse("it is empty");
    if (typeof value === "string") return value.trim() || this.refuse("it is empty");
    // YAML reads 1.10 as the number 1.1.
    if (["number", "boolean", "bigint"].includes(typeof value) || value instanceof Date) {
      return this.refuse("put it in quotes, so that YAML leaves it as it is written");
    }
    return this.refuse("it is not text");
  }

  /** A scalar as text, a number or a truth value as it prints; may be empty. */
  scalar(): string | undefined {
    const { value } = this;
    if (typeof value === "string") return value;
    if (["number", "boolean", "bigint"].includes(typeof value)) return String(value);
    return this.refuse(value === null ? "it is empty" : "it is no text");
  }

  /** What `read` makes of the value; a FormatError that it throws is noted. */
  as<T>(read: (value: unknown) => T): T | undefined {
    try {
      return read(this.value);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return this.refuse(error.message);
    }
  }

  /** What `read` makes of the scalar's text. */
  parsed<T>(read: (text: string) => T): T | undefined {
    const text = this.scalar();
    return text === undefined ? undefined : this.as(() => read(text));
  }

  /** The items of a list, each called by its noun and number: `check 1`. */
  items(noun: string, most = Infinity): readonly Part[] {
    const { value } = this;
    if (!Array.isArray(value)) return this.refuse("it is not a list") ?? [];
    if (value.length === 0) this.refuse("the list is empty");
    if (value.length > most)
      this.refuse(`the list has ${value.length} items, at most ${most} may be`);
    return value.slice(0, most).map((item, at) => this.#inner(`${noun} ${at + 1}`, item));
  }

  /** The items of a list; anything else is the only item. */
  oneOrMore(): readonly Part[] {
    const { value } = this;
    if (!Array.isArray(value)) return [this];
    if (value.length === 0) this.refuse("it is empty");
    return value.map((item, at) => this.#inner(`item ${at + 1}`, item));
  }

  /** The entries of a mapping with names of the user's own. */
  entries(): readonly (readonly [string, Part])[] {
    const { value } = this;
    if (!isMapping(value)) return this.refuse("it is not a mapping of names to values") ?? [];
    return Object.entries(value).map(([name, inner]) => [name, this.#inner(name, inner)]);
  }

  /** A mapping with keys that are known; any other is refused, with the nearest that is. */
  keys<K extends string>(known: readonly K[]): { readonly [Key in K]?: Part } {
    const given: { [Key in K]?: Part } = {};
    for (const [key, part] of this.entries()) {
      const found = known.find((name) => name === key);
      if (found !== undefined) given[found] = part;
      else this.refuse(`there is no key ${JSON.stringify(key)}; ${nearestOf(key, known)}`);
    }
    return given;
  }

  #inner(name: string, value: unknown): Part {
    return new Part(value, [...this.#place, name], this.#issues);
  }
}

interface Issue {
  readonly path: readonly string[];
  readonly message: string;
}

/** Whether a value is a mapping of names to values. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Advice for a word that is not known. */
export function nearestOf(word: string, known: readonly string[]): string {
  const near = nearestName(word, known);
  return near === undefined ? `known are ${known.join(", ")}` : `did you mean ${near}?`;
}

/**
 * A schema for `yaml` fields from a function that reads the whole. What it gives counts only when
 * nothing was refused. `quotesNoValues` is for a reader whose messages quote no value.
 */
export function structure<T>(
  read: (whole: Part) => T,
  { quotesNoValues = false } = {},
): Schema<Exclude<T, undefined>> {
  return {
    quotesNoValues,
    safeParse(value) {
      const issues: Issue[] = [];
      const data = read(new Part(value, [], issues));
      return issues.length === 0
        ? { success: true, data: data as Exclude<T, undefined> }
        : { success: false, error: { issues } };
    },
  };
}
