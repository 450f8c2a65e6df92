import { FormatError } from "../failure/index.ts";

/** Tags that are kept: by a word with `*` and `?`, or releases as `semver` knows them. */
export interface TagPattern {
  readonly text: string;
  matches(tag: string): boolean;
}

/** 1.2.3, v1.2.3-rc.1, and what moves along with releases: 1.2 and v1. A bare number is a build's. */
const SEMVER = /^(?:v?\d+\.\d+(?:\.\d+)?(?:[-_+][0-9A-Za-z._+-]+)?|v\d+)$/;

/** @throws {FormatError} when it could match no tag. */
export function tagPattern(text: string): TagPattern {
  if (text === "semver") return { text, matches: (tag) => SEMVER.test(tag) };
  if (!/^[\w.*?-]+$/.test(text)) {
    throw new FormatError(
      `${JSON.stringify(text)} can match no tag: write semver, or a tag in which * stands for anything and ? for one sign`,
    );
  }
  const source = RegExp.escape(text).replaceAll("\\*", ".*").replaceAll("\\?", ".");
  const form = new RegExp(`^${source}$`);
  return { text, matches: (tag) => form.test(tag) };
}
