import type { Archive } from "./archive.ts";
import { tableName } from "./table-name.ts";

/** Whether its texts have to be UTF-8. */
export function isUtf8Archive(archive: Archive): boolean {
  const entry = archive.entries.find(({ kind }) => kind === "ENCODING");
  return entry !== undefined && /'UTF-?8'/i.test(entry.definition);
}

/** Rows by table, from rows by dump id. */
export function rowsIn(archive: Archive, byId: ReadonlyMap<number, number>): Map<string, number> {
  const rows = new Map<string, number>();
  for (const entry of archive.entries) {
    const found = byId.get(entry.id);
    if (entry.kind !== "TABLE DATA" || found === undefined) continue;
    const name = tableName(entry.schema, entry.name);
    rows.set(name, (rows.get(name) ?? 0) + found);
  }
  return rows;
}
