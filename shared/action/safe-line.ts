import { stripVTControlCharacters } from "node:util";

const LINE_BREAK = /\r\n|[\r\n\u2028\u2029\u0085]/;
/** Control characters but the tab, and those that turn the direction of the text about. */
const UNPRINTABLE = /[^\P{Cc}\t]|[\u202a-\u202e\u2066-\u2069]/gu;
const ZERO_WIDTH_SPACE = "\u200b";

/** The lines of a text, without what a terminal would act upon; commands may still be in them. */
export function plainLines(text: string): string[] {
  return text
    .split(LINE_BREAK)
    .map((line) => stripVTControlCharacters(line).replace(UNPRINTABLE, "").trimEnd());
}

/**
 * One line in which the runner finds no command. It takes a line that starts with `::` after white
 * space, and one with `##[` anywhere, for a command. A zero-width space breaks both spellings and
 * leaves the text legible. The runner compares by the rules of a language, for which invisible
 * characters do not count; so they do not count here before the `::` either.
 *
 * Source: actions/runner, ActionCommand.TryParseV2 and TryParse.
 */
export function unmarked(line: string): string {
  return line
    .replaceAll("##[", `##${ZERO_WIDTH_SPACE}[`)
    .replace(/^([\s\p{Default_Ignorable_Code_Point}]*:):/u, `$1${ZERO_WIDTH_SPACE}:`);
}
