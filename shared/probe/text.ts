import { test } from "./pattern.ts";

const LONGEST_QUOTE = 120;

/** Hides what must not be shown. Applied before a text is cut, lest half a secret stay. */
export type Redact = (text: string) => string;

/** What a text must be like; all that is given must hold. */
export interface TextExpectation {
  readonly equals?: string | undefined;
  readonly contains: readonly string[];
  readonly matches: readonly RegExp[];
}

/** Whether anything is expected at all. */
export function expectsText({ equals, contains, matches }: TextExpectation): boolean {
  return equals !== undefined || contains.length + matches.length > 0;
}

/** Everything in which a text is not as expected, each as a phrase that begins with `what`. */
export function textMismatches(
  what: string,
  { equals, contains, matches }: TextExpectation,
  actual: string,
  redact: Redact,
): string[] {
  return [
    ...(equals === undefined || equals === actual
      ? []
      : [`${what} is ${quote(actual, redact)}, expected ${quote(equals, redact)}`]),
    ...contains
      .filter((part) => !actual.includes(part))
      .map((part) => `${what} does not contain ${quote(part, redact)}`),
    ...matches.flatMap((pattern) => {
      const outcome = test(pattern, actual);
      if (outcome === "matches") return [];
      return outcome === "differs"
        ? `${what} does not match ${pattern}`
        : `${what} could not be held against ${pattern} within a second: the pattern has too many ways to match`;
    }),
  ];
}

/** A text in quotes, without secrets and not too long. */
export function quote(text: string, redact: Redact): string {
  return JSON.stringify(cut(redact(text)));
}

/** A text short enough to be quoted in a sentence. Redact it before: half a secret is known to nobody. */
export function cut(text: string): string {
  return text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}…` : text;
}
