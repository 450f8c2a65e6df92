import type { Archive } from "./archive.ts";
import { rowsIn } from "./archive-facts.ts";
import { ArchiveMembers } from "./archive-members.ts";
import { ArchiveReader, BrokenArchive } from "./archive-reader.ts";
import { ByteCursor } from "./byte-cursor.ts";
import type { Dump, DumpFile } from "./dump.ts";
import { type Recognised, recognised } from "./format.ts";
import { nothingRead, type Read, type Reading } from "./reading.ts";
import { recogniseNames } from "./recognise-folder.ts";
import { readArchive } from "./toc.ts";
import { judgeArchive } from "./toc-verdict.ts";

/** Reads every file of a folder that is a dump. */
export async function examineFolder(dump: Dump, reading: Reading): Promise<Read> {
  const format = recogniseNames(dump.files.map((file) => file.name));
  const what = recognised([], format);
  if (format !== "pg-directory") return { ...nothingRead(what), storedBytes: sizeOf(dump) };
  return await examineDirectory(dump, what, reading);
}

function sizeOf(dump: Dump): number {
  return dump.files.reduce((sum, file) => sum + (file.bytes ?? 0), 0);
}

async function examineDirectory(dump: Dump, what: Recognised, reading: Reading): Promise<Read> {
  let storedBytes = 0;
  const open = async (file: DumpFile): Promise<AsyncIterable<Buffer>> => {
    const content = await file.open(reading.signal);
    return (async function* () {
      for await (const chunk of content) {
        storedBytes += chunk.length;
        reading.onProgress?.(storedBytes);
        yield chunk;
      }
    })();
  };
  const toc = dump.files.find((file) => file.name === "toc.dat");
  if (toc === undefined) {
    reading.faults.add({
      detector: "members",
      weight: "damage",
      subject: dump.name,
      what: "toc.dat is missing: without this table of contents the other files are of no use.",
      expected: "toc.dat",
    });
    return { ...nothingRead(what), storedBytes: sizeOf(dump) };
  }
  const archive = await readToc(await open(toc), "directory", `${dump.name}/toc.dat`, reading);
  if (archive === undefined) return { ...nothingRead(what), storedBytes };
  const members = new ArchiveMembers(archive, dump.name, reading);
  for (const file of listsFirst(dump.files)) {
    if (file === toc) continue;
    await members.read({ name: file.name, bytes: file.bytes, content: () => open(file) });
  }
  members.end();
  return {
    ...nothingRead(what),
    archive,
    server: archive.server,
    dumper: archive.dumper,
    rows: rowsIn(archive, members.rows),
    countsRows: true,
    storedBytes,
    plainBytes: members.plainBytes,
  };
}

function listsFirst(files: readonly DumpFile[]): DumpFile[] {
  const isList = (file: DumpFile) => /^blobs(_\d+)?\.toc$/.test(file.name);
  return [...files.filter(isList), ...files.filter((file) => !isList(file))];
}

/** Reads a toc.dat that stands alone; undefined where it is broken, which is said. */
export async function readToc(
  content: AsyncIterable<Buffer>,
  format: Archive["format"],
  name: string,
  reading: Reading,
): Promise<Archive | undefined> {
  const cursor = new ByteCursor(content);
  const say = (what: string, expected?: string, found?: string) => {
    reading.faults.add({ detector: "toc", weight: "damage", subject: name, what, expected, found });
  };
  try {
    const archive = await readArchive(new ArchiveReader(cursor), reading.limits.members);
    const rest = await cursor.peek(1);
    if (rest.length > 0) say(`There is more behind its end at offset ${cursor.position}.`);
    // A directory's says that it is a tar's: pg_dump writes both by the same code.
    if (archive.format === "custom") {
      say("It is the table of contents of another kind of dump.", format, archive.format);
    }
    judgeArchive(archive, name, reading.faults);
    return { ...archive, format };
  } catch (cause) {
    if (!(cause instanceof BrokenArchive)) throw cause;
    say(
      cause.cut
        ? `It is cut short at offset ${cause.offset}.`
        : `It is broken at offset ${cause.offset}: ${cause.message}.`,
    );
    return undefined;
  } finally {
    for await (const _ of cursor.rest());
  }
}
