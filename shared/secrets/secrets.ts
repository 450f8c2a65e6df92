const SHORTEST = 4;
const REPLACEMENT = "***";

/**
 * The values that must not leave the job. Every text that goes to a log, a report, an error or an
 * output passes through `redact`; a listener tells the runner, whose log has a mask of its own.
 */
export class Secrets {
  readonly #values = new Set<string>();
  readonly #listener: (value: string) => void;
  #pattern: RegExp | undefined;

  constructor(listener: (value: string) => void = () => {}) {
    this.#listener = listener;
  }

  /**
   * Hides a value, each of its lines, and its base64 and URL-encoded forms from now on.
   * Parts shorter than four characters are left alone: hiding them would shred every line.
   */
  add(value: string): void {
    for (const form of formsOf(value)) {
      if (form.length < SHORTEST || this.#values.has(form)) continue;
      this.#values.add(form);
      this.#listener(form);
    }
    this.#pattern = undefined;
  }

  /** The text with every known secret replaced by `***`. */
  redact(text: string): string {
    if (this.#values.size === 0) return text;
    this.#pattern ??= patternOf(this.#values);
    return text.replace(this.#pattern, REPLACEMENT);
  }
}

function formsOf(value: string): string[] {
  const lines = value.split(/\r\n|\r|\n/).map((line) => line.trim());
  return [
    value,
    ...lines.filter((line) => lines.length === 1 || line.length >= 2 * SHORTEST),
    Buffer.from(value).toString("base64"),
    encodeURIComponent(value),
  ];
}

function patternOf(values: ReadonlySet<string>): RegExp {
  const longestFirst = [...values].sort((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map((value) => RegExp.escape(value)).join("|"), "g");
}
