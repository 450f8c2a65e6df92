const SHOWN = 160;
const BEFORE = 40;

/** Two definitions shortened to where they begin to differ. */
export function shownAround(expected: string, found: string): readonly [string, string] {
  let at = 0;
  while (at < expected.length && expected[at] === found[at]) at += 1;
  return [cut(expected, at), cut(found, at)];
}

/** The beginning of a definition. */
export function shownDefinition(definition: string): string {
  return cut(definition, 0);
}

function cut(text: string, at: number): string {
  const from = text.length <= SHOWN ? 0 : Math.max(0, Math.min(at - BEFORE, text.length - SHOWN));
  const to = Math.min(text.length, from + SHOWN);
  const window = text.slice(from, to).replace(/\s+/g, " ").trim();
  return `${from > 0 ? "…" : ""}${window}${to < text.length ? "…" : ""}`;
}
