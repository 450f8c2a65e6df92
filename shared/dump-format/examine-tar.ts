import type { Archive } from "./archive.ts";
import { rowsIn } from "./archive-facts.ts";
import { ArchiveMembers } from "./archive-members.ts";
import type { ByteCursor } from "./byte-cursor.ts";
import { readToc } from "./examine-folder.ts";
import type { Recognised } from "./format.ts";
import { nothingRead, type Read, type Reading } from "./reading.ts";
import { readTar, type TarMember } from "./tar.ts";

/** Reads a tar: of pg_dump with its table of contents, of anything else by its members only. */
export async function examineTar(
  cursor: ByteCursor,
  what: Recognised,
  name: string,
  reading: Reading,
): Promise<Read> {
  const run = new TarExamination(name, reading, what.format === "pg-tar");
  const options = {
    subject: name,
    members: reading.limits.members,
    onFault: (fault: Parameters<typeof reading.faults.add>[0]) => reading.faults.add(fault),
  };
  for await (const member of readTar(cursor, options)) {
    reading.signal.throwIfAborted();
    await run.member(member);
  }
  const plainBytes = cursor.position;
  for await (const _ of cursor.rest());
  return { ...nothingRead(what), ...run.end(), plainBytes };
}

class TarExamination {
  readonly #name: string;
  readonly #reading: Reading;
  readonly #ofPgDump: boolean;
  #archive: Archive | undefined;
  #members: ArchiveMembers | undefined;
  #script = false;
  #contents = false;

  constructor(name: string, reading: Reading, ofPgDump: boolean) {
    this.#name = name;
    this.#reading = reading;
    this.#ofPgDump = ofPgDump;
  }

  async member(member: TarMember): Promise<void> {
    if (!this.#ofPgDump) {
      for await (const _ of member.content());
    } else if (member.name === "toc.dat" && this.#archive === undefined) {
      this.#contents = true;
      this.#archive = await readToc(
        member.content(),
        "tar",
        `${this.#name}/toc.dat`,
        this.#reading,
      );
      if (this.#archive === undefined) return;
      this.#members = new ArchiveMembers(this.#archive, this.#name, this.#reading);
    } else if (member.name === "restore.sql") {
      this.#script = true;
      for await (const _ of member.content());
    } else {
      await this.#members?.read({
        name: member.name,
        bytes: member.bytes,
        content: async () => member.content(),
      });
    }
  }

  end(): Partial<Read> {
    const archive = this.#archive;
    const members = this.#members;
    if (this.#ofPgDump && !this.#contents) {
      this.#reading.faults.add({
        detector: "members",
        weight: "damage",
        subject: this.#name,
        what: "toc.dat, the table of contents, is missing: nothing of it can be restored.",
      });
    }
    if (archive === undefined || members === undefined) return {};
    members.end();
    if (!this.#script) {
      this.#reading.faults.add({
        detector: "members",
        weight: "damage",
        subject: this.#name,
        what: "restore.sql, which pg_dump writes last, is missing.",
      });
    }
    return {
      archive,
      server: archive.server,
      dumper: archive.dumper,
      rows: rowsIn(archive, members.rows),
      countsRows: true,
      unknown: [
        "Rows in a tar dump have no checksum: a value that was changed into another of the same form cannot be seen without restoring it.",
      ],
    };
  }
}
