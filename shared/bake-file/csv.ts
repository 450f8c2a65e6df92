/** The fields of one line of CSV, as buildx writes its options. */
export function csvFields(line: string): readonly string[] {
  const fields = line.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? [];
  return fields.map((field) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
}

/** A line of CSV from fields of the form `key=value`. */
export function csvLine(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([key, value]) => `${key}=${value}`)
    .map((field) => (/[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/** `type=registry,ref=x` as a mapping; the keys in small letters, as buildx takes them. */
export function csvMapping(line: string): Readonly<Record<string, string>> {
  const entries = csvFields(line).map((field): [string, string] => {
    const at = field.indexOf("=");
    return at === -1 ? [field, ""] : [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}
