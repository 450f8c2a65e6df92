import { ByteSearch } from "./byte-search.ts";
import type { Matcher } from "./matcher.ts";

/** A needle in a text of JSON. */
export interface PaperHit {
  readonly needle: number;
  /** Keys and numbers that lead to it; empty when it is in none of the values alone. */
  readonly path: readonly (string | number)[];
}

/** The needles in a text of JSON, such as an image's configuration or a statement about it. */
export function searchPaper(text: string, matcher: Matcher): readonly PaperHit[] {
  const hits: PaperHit[] = [];
  const inValues = new Set<number>();
  for (const { path, text: value } of textsIn(parsed(text), [])) {
    for (const needle of needlesIn(value, matcher)) {
      inValues.add(needle);
      hits.push({ needle, path });
    }
  }
  // As it stands, too: a text may be no JSON, or hold something twice.
  for (const needle of needlesIn(text, matcher)) {
    if (!inValues.has(needle)) hits.push({ needle, path: [] });
  }
  return hits;
}

/** The text with all that is found in it left out, so that it can be shown. */
export function masked(text: string, matcher: Matcher): string {
  const bytes = Buffer.from(text);
  const hidden = new Uint8Array(bytes.length);
  matcher.scan(bytes, (needle, at) => hidden.fill(1, at, at + matcher.lengthOf(needle)));
  if (!hidden.includes(1)) return text;
  let shown = "";
  for (let at = 0; at < bytes.length; ) {
    const begun = at;
    const kind = hidden[at];
    while (at < bytes.length && hidden[at] === kind) at += 1;
    shown += kind === 1 ? "***" : bytes.toString("utf8", begun, at);
  }
  return shown;
}

function needlesIn(text: string, matcher: Matcher): ReadonlySet<number> {
  const found = new Set<number>();
  new ByteSearch(matcher, (needle) => found.add(needle)).push(Buffer.from(text));
  return found;
}

interface TextAt {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Every text of a value of JSON, and every key. */
export function* textsIn(value: unknown, path: readonly (string | number)[]): Generator<TextAt> {
  if (typeof value === "string") {
    yield { path, text: value };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* textsIn(item, [...path, index]);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      yield { path: [...path, key], text: key };
      yield* textsIn(item, [...path, key]);
    }
  }
}

/** What a text of JSON says; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
