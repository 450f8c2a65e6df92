import type { Archive, TocEntry } from "./archive.ts";
import { isUtf8Archive } from "./archive-facts.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { LargeObjects } from "./large-objects.ts";
import type { Reading } from "./reading.ts";
import { TableData } from "./table-data.ts";
import { subjectOf } from "./toc-verdict.ts";
import { type Compression, unpack } from "./unpack.ts";

/** A file of a directory or tar dump beside its table of contents. */
export interface ArchiveMember {
  /** As it is called there, `3012.dat.gz`. */
  readonly name: string;
  readonly bytes: number | undefined;
  content(): Promise<AsyncIterable<Buffer>>;
}

const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: "gzip", zst: "zstd", lz4: "lz4" };
/** A list of large objects beyond this is none. */
const LONGEST_LIST = 256 * 1024 ** 2;

/** Holds the members of a directory or tar dump against its table of contents, in any order. */
export class ArchiveMembers {
  readonly #archive: Archive;
  readonly #where: string;
  readonly #reading: Reading;
  readonly #utf8: boolean;
  readonly #byMember = new Map<string, TocEntry>();
  readonly #objects: LargeObjects;
  /** Files of large objects that lists name, by name: with what OID, and whether it was there. */
  readonly #listed = new Map<string, { oid: number; there: boolean }>();
  readonly #strayObjects = new Set<string>();
  readonly #seen = new Set<string>();
  readonly rows = new Map<number, number>();
  plainBytes = 0;

  constructor(archive: Archive, where: string, reading: Reading) {
    this.#archive = archive;
    this.#where = where;
    this.#reading = reading;
    this.#utf8 = isUtf8Archive(archive);
    this.#objects = new LargeObjects(where, reading.faults);
    for (const entry of archive.entries) {
      if (entry.member !== "") this.#expect(entry);
    }
  }

  #expect(entry: TocEntry): void {
    const name = memberOf(entry, this.#archive);
    const twice = this.#byMember.get(name);
    if (twice !== undefined) {
      const what = `${subjectOf(entry)} and ${subjectOf(twice)} have the same member ${name}.`;
      this.#fault("damage", what);
    }
    this.#byMember.set(name, entry);
  }

  /** Reads one member, whatever it is. */
  async read(member: ArchiveMember): Promise<void> {
    this.#reading.signal.throwIfAborted();
    const [, plain = member.name, suffix] = /^(.*?)(?:\.(gz|zst|lz4))?$/.exec(member.name) ?? [];
    const entry = this.#byMember.get(plain);
    if (entry === undefined && !/^blobs?_\d+\.dat$/.test(plain)) {
      this.#fault(
        "doubt",
        `${member.name} is no part of the dump: the table of contents does not name it.`,
      );
      return;
    }
    if (this.#seen.has(plain)) {
      this.#fault(
        "doubt",
        `${plain} is there twice, as ${member.name} too, and pg_restore takes one of them.`,
      );
    }
    this.#seen.add(plain);
    const content = await this.#open(
      member,
      suffix === undefined ? undefined : COMPRESSIONS[suffix],
    );
    if (entry === undefined) await this.#object(plain, content);
    else if (entry.kind === "BLOBS") await this.#list(entry, content);
    else await this.#table(entry, member.name, content);
  }

  async #open(
    member: ArchiveMember,
    compression: Compression | undefined,
  ): Promise<AsyncIterable<Buffer>> {
    const content = await member.content();
    if (compression === undefined) return content;
    const subject = `${this.#where}/${member.name}`;
    const cursor = new ByteCursor(content);
    if ((await cursor.peek(1)).length === 0) {
      this.#fault(
        "damage",
        `${member.name} has zero bytes, where even a table without rows has some: it was emptied after the dump, and pg_restore would restore no rows without an error.`,
      );
    }
    return unpack(cursor, compression, {
      subject,
      faults: this.#reading.faults,
      limits: this.#reading.limits,
    });
  }

  async #table(entry: TocEntry, name: string, content: AsyncIterable<Buffer>): Promise<void> {
    const data = new TableData(entry, `${this.#where}/${name}`, this.#reading.faults, this.#utf8);
    for await (const piece of content) {
      this.plainBytes += piece.length;
      data.push(piece);
    }
    data.end(true);
    this.rows.set(entry.id, data.rows);
  }

  async #object(plain: string, content: AsyncIterable<Buffer>): Promise<void> {
    for await (const piece of content) this.plainBytes += piece.length;
    const listed = this.#listed.get(plain);
    if (listed === undefined) this.#strayObjects.add(plain);
    else listed.there = true;
  }

  async #list(entry: TocEntry, content: AsyncIterable<Buffer>): Promise<void> {
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const piece of content) {
      bytes += piece.length;
      if (bytes <= LONGEST_LIST) parts.push(piece);
    }
    const text = Buffer.concat(parts).toString("latin1");
    const lines = text.split("\n");
    if (lines.pop() !== "")
      this.#fault("damage", `${entry.member} is cut short: its last line has no end.`);
    for (const line of lines) {
      const [, oid, file] = /^(\d{1,10}) (blobs?_\d+\.dat)$/.exec(line) ?? [];
      if (oid === undefined || file === undefined) {
        this.#fault(
          "damage",
          `${entry.member} lists ${JSON.stringify(line.slice(0, 60))}, which is no large object.`,
        );
        continue;
      }
      this.#objects.found(Number(oid), entry);
      this.#listed.set(file, { oid: Number(oid), there: this.#strayObjects.delete(file) });
      if (file !== `blob_${oid}.dat`) {
        this.#fault(
          "damage",
          `${entry.member} gives large object ${oid} the file ${file} of another.`,
        );
      }
    }
  }

  /** What the table of contents names and is not there. */
  end(): void {
    for (const [name, entry] of this.#byMember) {
      if (this.#seen.has(name)) continue;
      this.#fault("damage", `${name} is missing, with the data of ${subjectOf(entry)}.`);
    }
    for (const [name, { oid, there }] of this.#listed) {
      if (!there)
        this.#fault("damage", `${name} is missing, with the content of large object ${oid}.`);
    }
    for (const name of this.#strayObjects) {
      this.#fault("doubt", `${name} is no part of the dump: no list of large objects names it.`);
    }
    const lists = this.#archive.entries.filter((entry) => entry.kind === "BLOBS");
    const whole = lists.every((entry) => this.#seen.has(memberOf(entry, this.#archive)));
    if (whole) this.#objects.judge(this.#archive);
  }

  #fault(weight: "damage" | "doubt", what: string): void {
    this.#reading.faults.add({ detector: "members", weight, subject: this.#where, what });
  }
}

/** A tar names the list of large objects otherwise than its table of contents does. */
function memberOf(entry: TocEntry, archive: Archive): string {
  if (entry.kind !== "BLOBS" || archive.format !== "tar") return entry.member;
  return Number(archive.version.slice(2)) >= 16 ? `blobs_${entry.id}.toc` : "blobs.toc";
}
