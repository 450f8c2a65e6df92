import { type SearchWords, type Secret, searchWordsOf } from "./search-words.ts";
import { spellingsOf } from "./spelling.ts";

/** Bytes to search for, and what finding them means. */
export interface Needle {
  readonly bytes: Buffer;
  /** The secret's name. */
  readonly secret: string;
  /** How its value is spelt there: "in base64". */
  readonly how: string;
}

/** A secret whose value is not searched for. */
export interface Unsearched {
  readonly secret: string;
  /** Completes "it is not searched for: ...". */
  readonly why: string;
}

/** Everything to search for on behalf of the secrets, and what of them cannot be. */
export function needlesOf(secrets: readonly Secret[]): {
  readonly needles: readonly Needle[];
  readonly unsearched: readonly Unsearched[];
} {
  const needles = new Map<string, Needle>();
  const unsearched: Unsearched[] = [];
  for (const { name, value } of secrets) {
    const words: SearchWords = searchWordsOf(value);
    if ("why" in words) {
      unsearched.push({ secret: name, why: words.why });
      continue;
    }
    const [whole, ...parts] = words.texts;
    for (const text of [whole ?? "", ...parts]) {
      for (const { how, bytes } of spellingsOf(text)) {
        const key = bytes.toString("latin1");
        const part = text === whole ? "" : ", a part of it";
        if (!needles.has(key)) needles.set(key, { bytes, secret: name, how: `${how}${part}` });
      }
    }
  }
  return { needles: [...needles.values()], unsearched };
}
