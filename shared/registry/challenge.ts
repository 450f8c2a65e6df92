/** What a registry asks for before it answers. */
export interface Challenge {
  /** In small letters: `basic` or `bearer`, others are not known to registries. */
  readonly scheme: string;
  /** Names in small letters. */
  readonly parameters: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const SPACE = /[ \t]*/y;

/**
 * Reads a WWW-Authenticate header, which may hold several challenges. What cannot be read ends
 * the list. Source: RFC 9110, 11.6.1.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const reader = new Reader(header);
  for (;;) {
    reader.skipCommas();
    const word = reader.take(TOKEN);
    if (word === undefined) return challenges;
    if (!reader.takeSign("=")) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    const value = reader.takeQuoted() ?? reader.take(TOKEN);
    const last = challenges.at(-1);
    if (value === undefined || last === undefined) return challenges;
    last.parameters[word.toLowerCase()] = value;
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  skipCommas(): void {
    let more = true;
    while (more) more = this.takeSign(",");
  }

  takeSign(sign: string): boolean {
    this.take(SPACE);
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    this.take(SPACE);
    return true;
  }

  takeQuoted(): string | undefined {
    return this.take(QUOTED)?.slice(1, -1).replace(/\\(.)/g, "$1");
  }
}
