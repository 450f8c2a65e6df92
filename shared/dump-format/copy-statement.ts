/** The target of a COPY whose rows follow it. */
export interface CopyTarget {
  /** As it is written, `public."Odd Name"`. */
  readonly table: string;
  readonly columns: readonly string[] | undefined;
}

const NAME = '(?:"(?:[^"]|"")*"|[^\\s"(),.;]+)';
const COPY_FROM_STDIN = new RegExp(
  `^COPY\\s+(?:BINARY\\s+)?(${NAME}(?:\\s*\\.\\s*${NAME})*)\\s*(\\((?:"(?:[^"]|"")*"|[^"()])*\\))?\\s*(?:WITH\\s+OIDS\\s+)?FROM\\s+STDIN\\b`,
  "i",
);

/** What a statement copies into from the lines behind it; undefined where it is no such COPY. */
export function copyTargetOf(code: string): CopyTarget | undefined {
  if (!/^COPY\b/i.test(code)) return undefined;
  const found = COPY_FROM_STDIN.exec(code);
  if (found === null) return undefined;
  const list = found[2];
  return {
    table: found[1] ?? "",
    columns: list === undefined ? undefined : namesIn(list.slice(1, -1)),
  };
}

/** The parts of a list or of a qualified name, without their quotes. */
export function namesIn(list: string): string[] {
  return [...list.matchAll(new RegExp(NAME, "g"))].map(([name]) => unquoted(name));
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
