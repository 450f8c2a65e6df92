import { spellingsOf } from "./spellings.ts";

/** Hiding something shorter wherever it occurs would shred every line. */
const SHORTEST = 4;
/** Of a value of several lines, one line alone is hidden from this length on. */
const SHORTEST_LINE = 8;
const REPLACEMENT = "***";

/**
 * The values that must not leave the job. Every text that goes to a log, a report, an error or an
 * output passes through `redact`; a listener tells the runner, whose log has a mask of its own.
 */
export class Secrets {
  readonly #texts = new Set<string>();
  readonly #words = new Set<string>();
  readonly #listener: (value: string) => void;
  #pattern: RegExp | undefined;

  constructor(listener: (value: string) => void = () => {}) {
    this.#listener = listener;
  }

  /**
   * Hides a value from now on, and each of its lines, however JSON, a URL, HTML, Markdown or base64
   * spell them. A value of two or three characters is hidden only where it stands alone; of one of
   * a single character nothing is hidden.
   */
  add(value: string): void {
    for (const text of [value.trim(), ...longLinesOf(value)]) {
      if (text.length < SHORTEST) {
        if (text.length > 1) this.#words.add(text);
      } else if (!this.#texts.has(text)) {
        // The runner works out other spellings by itself, for every value that it is told.
        this.#listener(text);
        for (const spelling of spellingsOf(text)) {
          if (spelling.length >= SHORTEST) this.#texts.add(spelling);
        }
      }
    }
    this.#pattern = patternOf(this.#texts, this.#words);
  }

  /** The text with every known secret replaced by `***`; those that overlap, by one. */
  redact(text: string): string {
    if (this.#pattern === undefined || text.search(this.#pattern) < 0) return text;
    let redacted = "";
    let end = 0;
    for (const [from, to] of merged(this.#placesIn(text))) {
      redacted += `${text.slice(end, from)}${REPLACEMENT}`;
      end = to;
    }
    return redacted + text.slice(end);
  }

  #placesIn(text: string): Place[] {
    const places: Place[] = [];
    for (const secret of this.#texts) {
      for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
        places.push([at, at + secret.length]);
      }
    }
    if (this.#words.size === 0) return places;
    for (const { index, 0: word } of text.matchAll(patternOf([], this.#words))) {
      places.push([index, index + word.length]);
    }
    return places;
  }
}

/** From one offset up to another. */
type Place = readonly [from: number, to: number];

function merged(places: readonly Place[]): Place[] {
  const result: Place[] = [];
  for (const [from, to] of [...places].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last === undefined || from > last[1]) result.push([from, to]);
    else result[result.length - 1] = [last[0], Math.max(last[1], to)];
  }
  return result;
}

function longLinesOf(value: string): string[] {
  return value
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_LINE);
}

function patternOf(texts: Iterable<string>, words: Iterable<string>): RegExp {
  const anywhere = [...texts].map((text) => RegExp.escape(text));
  const alone = [...words].map(
    (word) => `(?<![\\p{L}\\p{N}])${RegExp.escape(word)}(?![\\p{L}\\p{N}])`,
  );
  return new RegExp([...anywhere, ...alone].join("|") || "(?!)", "gu");
}
