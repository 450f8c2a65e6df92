import { isMapping, type Part } from "../../shared/action/index.ts";
import { FormatError } from "../../shared/failure/index.ts";
import type { TextExpectation } from "../../shared/probe/index.ts";

/** Nothing is expected. */
export const ANY_TEXT: TextExpectation = { contains: [], matches: [] };

/** A text that must be contained, a list of such, or a mapping that says how it must be. */
export function readTextExpectation(part: Part): TextExpectation {
  if (!isMapping(part.value)) return { contains: textsOf(part), matches: [] };
  const given = part.keys(["equals", "contains", "matches"]);
  return {
    equals: given.equals?.scalar(),
    contains: given.contains === undefined ? [] : textsOf(given.contains),
    matches: (given.matches?.oneOrMore() ?? []).flatMap((item) => item.parsed(patternOf) ?? []),
  };
}

function textsOf(part: Part): readonly string[] {
  return part.oneOrMore().flatMap((item) => item.scalar() ?? []);
}

function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, "u");
  } catch (error) {
    throw new FormatError(error instanceof Error ? error.message : String(error));
  }
}
