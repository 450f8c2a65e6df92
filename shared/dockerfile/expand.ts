/** What a variable holds; undefined when it is not set. */
export type Variables = (name: string) => string | undefined;

/** A reference to a variable that is no sound one: `${x`, `${x:=y}`. */
export class BadSubstitution extends Error {
  /** The line of the Dockerfile, as soon as it is known. */
  line: number | undefined;
}

export interface Expansion {
  readonly text: string;
  /** Names that were asked for and are not set. */
  readonly unset: readonly string[];
}

/**
 * Replaces variables and takes away quotes and escapes, as a Dockerfile's own shell does.
 *
 * Source: BuildKit, frontend/dockerfile/shell/lex.go.
 * @throws {BadSubstitution}
 */
export function expand(word: string, variables: Variables, sign: string): Expansion {
  const expander = new Expander(word, variables, sign);
  return { text: expander.run(undefined, false), unset: expander.unset };
}

class Expander {
  readonly unset: string[] = [];
  readonly #text: readonly string[];
  readonly #variables: Variables;
  readonly #sign: string;
  #at = 0;

  constructor(text: string, variables: Variables, sign: string) {
    this.#text = [...text];
    this.#variables = variables;
    this.#sign = sign;
  }

  /** Up to the stop, or to the end. Patterns keep their escapes, for they are read once more. */
  run(stop: string | undefined, isPattern: boolean): string {
    let result = "";
    for (;;) {
      const character = this.#next();
      if (character === undefined) {
        if (stop !== undefined) throw new BadSubstitution(`${stop} is missing`);
        return result;
      }
      if (character === stop) return result;
      if (character === "'") result += this.#single(isPattern);
      else if (character === '"') result += this.#double(isPattern);
      else if (character === "$") result += this.#dollar();
      else if (character === this.#sign) {
        const next = this.#next() ?? "";
        result += isPattern ? character + next : next;
      } else result += character;
    }
  }

  #next(): string | undefined {
    const character = this.#text[this.#at];
    this.#at += 1;
    return character;
  }

  #single(isPattern: boolean): string {
    let result = "";
    for (;;) {
      const character = this.#next();
      if (character === undefined) throw new BadSubstitution("a single quote is not closed");
      if (character === "'") return result;
      result += isPattern && character === this.#sign ? character + character : character;
    }
  }

  #double(isPattern: boolean): string {
    let result = "";
    for (;;) {
      const character = this.#next();
      if (character === undefined) throw new BadSubstitution("a double quote is not closed");
      if (character === '"') return result;
      if (character === "$") result += this.#dollar();
      else if (character !== this.#sign) result += character;
      else {
        const next = this.#text[this.#at];
        const isEscape = next === '"' || next === "$" || next === this.#sign;
        if (isEscape) this.#at += 1;
        result += isEscape ? (isPattern ? character : "") + next : character;
      }
    }
  }

  #dollar(): string {
    if (this.#text[this.#at] !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (this.#value(name) ?? "");
    }
    this.#at += 1;
    const name = this.#name();
    if (name === "") throw new BadSubstitution("${ has no name behind it");
    const operator = this.#next();
    if (operator === "}") return this.#value(name) ?? "";
    if (operator === "/") return this.#replace(name);
    if (operator === "#" || operator === "%") return this.#trim(name, operator);
    const isColon = operator === ":";
    return this.#choose(name, isColon ? this.#next() : operator, isColon);
  }

  #choose(name: string, operator: string | undefined, isColon: boolean): string {
    if (operator === undefined) throw new BadSubstitution(`} is missing behind \${${name}`);
    if (operator !== "-" && operator !== "+" && operator !== "?") {
      throw new BadSubstitution(`\${${name}…} has an unknown operator`);
    }
    const word = this.run("}", false);
    const value = this.#value(name);
    const isThere = value !== undefined && !(isColon && value === "");
    if (operator === "+") return isThere ? word : "";
    if (isThere) return value;
    if (operator === "-") return word;
    throw new BadSubstitution(`${name}: ${word === "" ? "is not set" : word}`);
  }

  #trim(name: string, operator: "#" | "%"): string {
    const word = this.run("}", true);
    const isGreedy = word.startsWith(operator);
    const value = this.#value(name) ?? "";
    const pattern = patternOf(isGreedy ? word.slice(1) : word);
    const whole = new RegExp(`^(?:${pattern})$`, "su");
    const lengths = Array.from({ length: [...value].length + 1 }, (_, length) => length);
    const characters = [...value];
    for (const length of isGreedy ? lengths.reverse() : lengths) {
      const cut = operator === "#" ? length : characters.length - length;
      const [front, back] = [characters.slice(0, cut).join(""), characters.slice(cut).join("")];
      if (whole.test(operator === "#" ? front : back)) return operator === "#" ? back : front;
    }
    return value;
  }

  #replace(name: string): string {
    const isAll = this.#text[this.#at] === "/";
    if (isAll) this.#at += 1;
    const pattern = new RegExp(patternOf(this.run("/", true)), isAll ? "gu" : "u");
    const replacement = this.run("}", true);
    return (this.#value(name) ?? "").replace(pattern, () => replacement);
  }

  #name(): string {
    const first = this.#text[this.#at] ?? "";
    if (/[@*#?\-$!0]/.test(first)) {
      this.#at += 1;
      return first;
    }
    const accepted = /\d/.test(first) ? /\d/ : /[\p{L}\p{Nd}_]/u;
    let name = "";
    while (accepted.test(this.#text[this.#at] ?? "")) name += this.#next();
    return name;
  }

  #value(name: string): string | undefined {
    const value = this.#variables(name);
    if (value === undefined) this.unset.push(name);
    return value;
  }
}

/** A shell's pattern, which knows `*` and `?` only, as a regular expression. */
function patternOf(pattern: string): string {
  return pattern.replace(/\\([\s\S])|\*|\?|[[\]{}.+()|^$/\\]/g, (found, escaped?: string) => {
    if (escaped !== undefined) return `\\${escaped}`.replace(/^\\([^[\]{}.+()|^$/\\*?])$/, "$1");
    if (found === "*") return "[^\\n]*";
    return found === "?" ? "[^\\n]" : `\\${found}`;
  });
}
