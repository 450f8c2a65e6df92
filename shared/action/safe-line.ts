import { stripVTControlCharacters } from "node:util";

const CONTROL = /(?!\t)\p{Cc}/gu;
const ZERO_WIDTH_SPACE = "\u200b";

/**
 * Lines that the runner prints as they are. It takes a line that starts with `::` after white
 * space, and one with `##[` anywhere, for a command; and its reader ends a line at a lone CR too.
 * A zero-width space breaks both spellings and leaves the text legible. Terminal control
 * sequences are dropped.
 *
 * Source: actions/runner, ActionCommand.TryParseV2 and TryParse.
 */
export function safeLines(text: string): string[] {
  return text.split(/\r\n|\r|\n|\u2028|\u2029|\u0085/).map((line) => {
    const plain = stripVTControlCharacters(line).replace(CONTROL, "").trimEnd();
    const unmarked = plain.replaceAll("##[", `##${ZERO_WIDTH_SPACE}[`);
    return /^\s*::/.test(unmarked) ? unmarked.replace("::", `:${ZERO_WIDTH_SPACE}:`) : unmarked;
  });
}
