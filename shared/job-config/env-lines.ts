/** A pair of an env file, or a name alone whose value the environment has. */
export interface EnvLine {
  readonly line: number;
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * Reads lines of `NAME=value` as kubectl's --from-env-file does: blank lines and those that begin
 * with `#` are passed over, white space before a name is dropped, and everything after the first
 * equals sign is the value, letter for letter, quotes included. A name alone takes its value from
 * the environment.
 */
export function parseEnvLines(text: string): readonly EnvLine[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines.flatMap((line, index): readonly EnvLine[] => {
    const trimmed = line.trimStart();
    if (trimmed === "" || trimmed.startsWith("#")) return [];
    const equals = trimmed.indexOf("=");
    return equals < 0
      ? [{ line: index + 1, name: trimmed.trimEnd(), value: undefined }]
      : [{ line: index + 1, name: trimmed.slice(0, equals), value: trimmed.slice(equals + 1) }];
  });
}
