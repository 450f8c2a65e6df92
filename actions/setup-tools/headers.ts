/** The headers of lines `Name: value`, or what is wrong with a line, without its value. */
export function parseHeaders(raw: string): {
  readonly headers: Readonly<Record<string, string>>;
  readonly problem: string | undefined;
} {
  const headers: Record<string, string> = {};
  for (const [index, line] of linesOf(raw).entries()) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(\S.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) {
      return { headers: {}, problem: `line ${index + 1} has another form than \`Name: value\`` };
    }
    headers[name.toLowerCase()] = value;
  }
  return { headers, problem: undefined };
}

/** The values, and of a value of several words (`Bearer abc`) the last one too. */
export function secretsOfHeaders(raw: string): readonly string[] {
  return linesOf(raw).flatMap((line) => {
    const value = line.slice(line.indexOf(":") + 1).trim();
    const last = value.split(/\s+/).at(-1) ?? "";
    return value === "" ? [] : [...new Set([value, last])];
  });
}

function linesOf(raw: string): string[] {
  return raw
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
