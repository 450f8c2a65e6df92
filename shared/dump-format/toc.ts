import type { Archive, TocEntry } from "./archive.ts";
import { type ArchiveReader, BrokenArchive } from "./archive-reader.ts";

const FORMATS: Readonly<Record<number, Archive["format"]>> = {
  1: "custom",
  3: "tar",
  5: "directory",
};
const COMPRESSIONS = ["none", "gzip", "lz4", "zstd"] as const;
const SECTIONS = ["none", "pre-data", "data", "post-data"] as const;
const POSITION_SET = 2;
/** The oldest form that is read: that of PostgreSQL 9.0. */
const OLDEST = 12;

/**
 * Reads the header and the table of contents that custom, directory and tar dumps begin with.
 *
 * Source: the form that pg_dump 9.0 to 18 write, versions 1.12 to 1.16.
 *
 * @throws {BrokenArchive} where they are none.
 */
export async function readArchive(reader: ArchiveReader, mostEntries: number): Promise<Archive> {
  const head = await readHead(reader);
  const at = reader.offset;
  const count = await reader.int();
  if (count < 0 || count > mostEntries) {
    throw new BrokenArchive(`the table of contents has ${count} entries`, at);
  }
  const entries: TocEntry[] = [];
  for (let index = 0; index < count; index++) entries.push(await readEntry(reader, head));
  return {
    version: `1.${head.minor}`,
    format: head.format,
    compression: head.compression,
    created: head.created,
    database: head.database,
    server: head.server,
    dumper: head.dumper,
    entries,
    foreignTexts: reader.foreignTexts,
  };
}

interface Head extends Omit<Archive, "entries" | "version" | "foreignTexts"> {
  readonly minor: number;
}

async function readHead(reader: ArchiveReader): Promise<Head> {
  const magic = await reader.bytes(5);
  if (magic.toString("latin1") !== "PGDMP")
    throw new BrokenArchive("it does not begin with PGDMP", 0);
  const major = await reader.byte();
  const minor = await reader.byte();
  await reader.byte();
  if (major !== 1 || minor < OLDEST || minor > 99) {
    throw new BrokenArchive(
      `its version ${major}.${minor} is none that pg_dump wrote since 9.0`,
      5,
    );
  }
  reader.intSize = await reader.byte();
  reader.offsetSize = await reader.byte();
  if (reader.intSize !== 4 || (reader.offsetSize !== 8 && reader.offsetSize !== 4)) {
    throw new BrokenArchive(
      `its numbers have ${reader.intSize} and ${reader.offsetSize} bytes, where pg_dump writes 4 and 8`,
      8,
    );
  }
  const number = await reader.byte();
  const format = FORMATS[number];
  if (format === undefined) throw new BrokenArchive(`its format ${number} is none`, 10);
  const compression = await readCompression(reader, minor);
  const created = await readTime(reader);
  const database = (await reader.text()) ?? "";
  const server = (await reader.text()) ?? "";
  const dumper = (await reader.text()) ?? "";
  return { minor, format, compression, created, database, server, dumper };
}

async function readCompression(
  reader: ArchiveReader,
  minor: number,
): Promise<Archive["compression"]> {
  const at = reader.offset;
  if (minor >= 15) {
    const number = await reader.byte();
    const name = COMPRESSIONS[number];
    if (name === undefined) throw new BrokenArchive(`its compression ${number} is none`, at);
    return name;
  }
  const level = await reader.int();
  if (level < -1 || level > 9)
    throw new BrokenArchive(`its compression has the level ${level}`, at);
  return level === 0 ? "none" : "gzip";
}

/** Ranges of C's struct tm, in the order in which they are written. */
const TIME = [
  ["second", 0, 60],
  ["minute", 0, 59],
  ["hour", 0, 23],
  ["day", 1, 31],
  ["month", 0, 11],
  ["year", 90, 300],
  ["daylight saving", -1, 1],
] as const;

async function readTime(reader: ArchiveReader): Promise<number> {
  const values: number[] = [];
  for (const [name, low, high] of TIME) {
    const at = reader.offset;
    const value = await reader.int();
    if (value < low || value > high)
      throw new BrokenArchive(`its time has the ${name} ${value}`, at);
    values.push(value);
  }
  const [second = 0, minute = 0, hour = 0, day = 1, month = 0, year = 0] = values;
  return Date.UTC(1900 + year, month, day, hour, minute, second);
}

async function readEntry(reader: ArchiveReader, head: Head): Promise<TocEntry> {
  const at = reader.offset;
  const id = await reader.int();
  const dumped = await reader.int();
  if (id <= 0) throw new BrokenArchive(`an entry has the id ${id}`, at);
  if (dumped !== 0 && dumped !== 1) {
    throw new BrokenArchive(`entry ${id} says ${dumped} where it says whether it has data`, at);
  }
  for (const what of ["catalog", "object"]) {
    const oid = await reader.text();
    if (!/^\d{1,10}$/.test(oid ?? "")) {
      throw new BrokenArchive(`entry ${id} has no OID of its ${what}: ${JSON.stringify(oid)}`, at);
    }
  }
  const name = (await reader.text()) ?? "";
  const kind = (await reader.text()) ?? "";
  const section = SECTIONS[(await reader.int()) - 1];
  if (section === undefined) throw new BrokenArchive(`entry ${id} belongs to no section`, at);
  const definition = (await reader.text()) ?? "";
  const dropStatement = (await reader.text()) ?? "";
  const copyStatement = (await reader.text()) ?? "";
  const schema = (await reader.text()) ?? "";
  const tablespace = (await reader.text()) ?? "";
  const accessMethod = head.minor >= 14 ? ((await reader.text()) ?? "") : "";
  if (head.minor >= 16) await reader.int();
  const owner = (await reader.text()) ?? "";
  await reader.text();
  const dependencies = await readDependencies(reader, id);
  const place = await readPlace(reader, head.format);
  return {
    id,
    kind,
    schema,
    name,
    owner,
    section,
    definition,
    dropStatement,
    copyStatement,
    tablespace,
    accessMethod,
    dependencies,
    hasData: dumped === 1,
    ...place,
  };
}

async function readDependencies(reader: ArchiveReader, id: number): Promise<number[]> {
  const dependencies: number[] = [];
  for (;;) {
    const at = reader.offset;
    const text = await reader.text();
    if (text === undefined) return dependencies;
    if (!/^\d{1,10}$/.test(text)) {
      throw new BrokenArchive(`entry ${id} depends on ${JSON.stringify(text)}, which is no id`, at);
    }
    dependencies.push(Number(text));
  }
}

async function readPlace(
  reader: ArchiveReader,
  format: Archive["format"],
): Promise<Pick<TocEntry, "offset" | "member">> {
  if (format !== "custom") return { offset: undefined, member: (await reader.text()) ?? "" };
  const { state, offset } = await reader.position();
  return { offset: state === POSITION_SET ? offset : undefined, member: "" };
}
