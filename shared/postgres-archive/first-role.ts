import { readFile } from "node:fs/promises";
import { join } from "node:path";

const PG_AUTHID = 1_260;
/** The role that initdb makes. Source: BOOTSTRAP_SUPERUSERID. */
const FIRST_ROLE = 10;
const MAP_MAGIC = 0x592717;
const PAGE = 8_192;
const NAME_BYTES = 64;

/**
 * Names of the cluster's first role, as the rows of `pg_authid` on the disk have them: for a server
 * in which nobody is called postgres. Rows that were replaced are among them.
 *
 * Source: src/backend/utils/cache/relmapper.c, src/include/storage/bufpage.h.
 */
export async function firstRoleNames(data: string): Promise<readonly string[]> {
  const none = () => Buffer.alloc(0);
  const map = await readFile(join(data, "global", "pg_filenode.map")).catch(none);
  const table = await readFile(join(data, "global", String(fileOf(map)))).catch(none);
  const names = new Set<string>();
  for (let page = 0; page + PAGE <= table.length; page += PAGE) {
    const content = table.subarray(page, page + PAGE);
    const lower = content.readUInt16LE(12);
    for (let pointer = 24; pointer + 4 <= Math.min(lower, PAGE); pointer += 4) {
      const name = nameAt(content, content.readUInt32LE(pointer) & 0x7fff);
      if (name !== undefined) names.add(name);
    }
  }
  return [...names];
}

function fileOf(map: Buffer): number {
  if (map.length < 8 || map.readUInt32LE(0) !== MAP_MAGIC) return PG_AUTHID;
  const count = map.readInt32LE(4);
  for (let at = 0; at < count && 16 + at * 8 <= map.length; at += 1)
    if (map.readUInt32LE(8 + at * 8) === PG_AUTHID) return map.readUInt32LE(12 + at * 8);
  return PG_AUTHID;
}

function nameAt(page: Buffer, offset: number): string | undefined {
  if (offset === 0 || offset + 23 > PAGE) return undefined;
  const row = offset + (page[offset + 22] ?? 0);
  if (row + 4 + NAME_BYTES > PAGE || page.readUInt32LE(row) !== FIRST_ROLE) return undefined;
  const name = page.toString("utf8", row + 4, row + 4 + NAME_BYTES);
  return name.slice(0, name.indexOf("\0"));
}
