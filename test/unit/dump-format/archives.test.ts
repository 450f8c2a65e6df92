import { describe, expect, test } from "@jest/globals";
import { archiveOf } from "../../../shared/dump-format/index.ts";
import { dumpFrom, examineFiles, type Files, fileOf, fixture, verdicts } from "./fixture.ts";

const ROWS = { "public.customer": 20, "public.empty": 0, "public.item": 30 };

const isFolder = (name: string) => name.endsWith("directory");

async function verdictsOf(name: string, change: (bytes: Buffer) => Buffer): Promise<string[]> {
  return verdicts(await examineFiles(new Map([[name, change(fileOf(name))]]), false));
}

describe("a real dump is clean, and its rows are counted", () => {
  test.each([
    ["15/custom.dump"],
    ["15/stored.dump"],
    ["15/directory"],
    ["15/tar.tar"],
    ["17/custom.dump"],
    ["17/stored.dump"],
    ["17/lz4.dump"],
    ["17/zstd.dump"],
    ["17/directory"],
    ["17/tar.tar"],
  ])("%s", async (name) => {
    const examination = await examineFiles(fixture(name), isFolder(name));
    expect(verdicts(examination)).toEqual([]);
    expect(Object.fromEntries(examination.rows)).toEqual(ROWS);
    expect(examination.archive?.database).toBe("small");
    const item = examination.archive?.entries.find(
      ({ kind, name: tag }) => kind === "TABLE DATA" && tag === "item",
    );
    expect(item).toMatchObject({
      schema: "public",
      owner: "postgres",
      section: "data",
      hasData: true,
      copyStatement: "COPY public.item (id, customer, note) FROM stdin;\n",
    });
  });
});

describe("the table of contents alone", () => {
  test.each([["15/custom.dump"], ["15/tar.tar"], ["17/directory"]])("of %s", async (name) => {
    const dump = dumpFrom(fixture(name), isFolder(name));
    const archive = await archiveOf(dump, { signal: new AbortController().signal });
    expect(archive?.entries.filter(({ kind }) => kind === "TABLE").map((one) => one.name)).toEqual([
      "customer",
      "empty",
      "item",
    ]);
  });

  test("is none in plain SQL, and an error where it is broken", async () => {
    const signal = new AbortController().signal;
    expect(await archiveOf(dumpFrom(fixture("15/plain.sql"), false), { signal })).toBeUndefined();
    const cut = new Map([["cut.dump", fileOf("15/custom.dump").subarray(0, 500)]]);
    await expect(archiveOf(dumpFrom(cut, false), { signal })).rejects.toMatchObject({
      title: "Broken dump",
    });
  });
});

describe("a fault in a custom dump", () => {
  const name = "15/custom.dump";
  const last = fileOf(name).length;
  const edited = (from: string, to: string) => (bytes: Buffer) => {
    const at = bytes.indexOf(from);
    if (at === -1) throw new Error(`${from} is not in the dump`);
    const changed = Buffer.from(bytes);
    changed.write(to, at, "latin1");
    return changed;
  };
  const flipped = (at: number) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    return changed;
  };
  test.each<[string, (bytes: Buffer) => Buffer, string[]]>([
    ["cut in its table of contents", (bytes) => bytes.subarray(0, 1500), ["damage toc"]],
    ["cut in its data", (bytes) => bytes.subarray(0, 6200), ["damage end-marker", "damage toc"]],
    ["cut by one byte", (bytes) => bytes.subarray(0, -1), ["damage end-marker"]],
    [
      "garbage behind it",
      (bytes) => Buffer.concat([bytes, Buffer.from("garbage")]),
      ["damage toc"],
    ],
    ["twice", (bytes) => Buffer.concat([bytes, bytes]), ["damage toc"]],
    ["a flipped bit in compressed rows", flipped(6300), ["damage checksum"]],
    ["a flipped bit in the last block", flipped(last - 12), ["damage checksum"]],
    ["another version", edited("PGDMP\x01\x0e", "PGDMP\x01\x05"), ["damage toc"]],
    [
      "a version of the future",
      edited("PGDMP\x01\x0e\x00\x04\x08\x01", "PGDMP\x02"),
      ["damage toc"],
    ],
    ["a damaged kind", edited("TABLE DATA", "TABLE DOTA"), ["damage toc", "doubt structure"]],
    [
      "a damaged COPY",
      edited("COPY public.item", "COPX public.item"),
      ["damage end-marker", "damage structure", "damage toc", "doubt hostile"],
    ],
    ["a COPY for another table", edited("COPY public.item", "COPY public.itxm"), ["damage toc"]],
    ["a damaged definition", edited("CREATE VIEW", "CRAETE VIEW"), ["damage toc"]],
    [
      "a definition of another",
      edited("CREATE TABLE public.item", "CREATE TABLE public.itxm"),
      ["damage toc"],
    ],
    [
      "a text that is no UTF-8",
      edited("note text", "not\xff text"),
      ["damage encoding", "damage toc"],
    ],
    [
      "a psql command in a definition",
      edited("CREATE VIEW public.v AS\n", "\\! id\nCREATE VIEW v AS\n"),
      ["doubt hostile"],
    ],
  ])("is found: %s", async (_name, change, expected) => {
    expect(await verdictsOf(name, change)).toEqual(expected);
  });

  test("rows that were there when the dump was taken are held against those in it", async () => {
    const rows = new Map([...Object.entries(ROWS), ["public.item", 31]] as [string, number][]);
    const examination = await examineFiles(fixture(name), false, {
      expected: { rows, excluded: new Set() },
    });
    expect(examination.findings).toEqual([
      expect.objectContaining({
        subject: "table public.item",
        expected: "31 rows",
        found: "30 rows",
      }),
    ]);
  });
});

describe("a fault in a directory dump", () => {
  const original = fixture("15/directory");
  const changed = (change: (files: Map<string, Buffer>) => void): Files => {
    const files = new Map(original);
    change(files);
    return files;
  };
  const [customer, , item] = ["3366.dat.gz", "3369.dat.gz", "3368.dat.gz"] as const;
  const of = (name: string) => original.get(name) ?? Buffer.alloc(0);
  test.each<[string, Files, string[]]>([
    ["a member missing", changed((files) => files.delete(item)), ["damage members"]],
    [
      "a member too many",
      changed((files) => files.set("9999.dat", Buffer.from("x"))),
      ["doubt members"],
    ],
    [
      "a member of zero bytes",
      changed((files) => files.set(item, Buffer.alloc(0))),
      ["damage end-marker", "damage members"],
    ],
    [
      "an uncompressed member of zero bytes",
      changed((files) => files.set("3368.dat", Buffer.alloc(0)).delete(item)),
      ["damage end-marker"],
    ],
    [
      "two members swapped",
      changed((files) => files.set(item, of(customer)).set(customer, of(item))),
      ["damage rows"],
    ],
    [
      "a member cut",
      changed((files) => files.set(item, of(item).subarray(0, 100))),
      ["damage compression", "damage end-marker"],
    ],
    [
      "a member that is none of gzip",
      changed((files) => files.set(item, Buffer.from("hello"))),
      ["damage compression", "damage end-marker"],
    ],
    [
      "a member twice",
      changed((files) => files.set("3368.dat", Buffer.from("1\t1\tx\n\\.\n\n\n"))),
      ["doubt members"],
    ],
    ["no table of contents", changed((files) => files.delete("toc.dat")), ["damage members"]],
    [
      "a cut table of contents",
      changed((files) => files.set("toc.dat", of("toc.dat").subarray(0, 900))),
      ["damage toc"],
    ],
    [
      "more behind the table of contents",
      changed((files) => files.set("toc.dat", Buffer.concat([of("toc.dat"), Buffer.from("x")]))),
      ["damage toc"],
    ],
    [
      "a large object missing",
      changed((files) => files.delete("blob_4711.dat.gz")),
      ["damage members"],
    ],
    [
      "the list of large objects missing",
      changed((files) => files.delete("blobs.toc")),
      ["damage members", "doubt members"],
    ],
    [
      "the list of large objects empty",
      changed((files) => files.set("blobs.toc", Buffer.alloc(0))),
      ["damage members", "doubt members"],
    ],
    [
      "the list of large objects damaged",
      changed((files) => files.set("blobs.toc", Buffer.from("4711 ../x\n"))),
      ["damage members", "doubt members"],
    ],
  ])("is found: %s", async (_name, files, expected) => {
    expect(verdicts(await examineFiles(files, true))).toEqual(expected);
  });

  test("a table of contents that stands alone is no dump", async () => {
    const alone = new Map([["toc.dat", of("toc.dat")]]);
    expect(verdicts(await examineFiles(alone, true))).toEqual(["damage members"]);
  });
});

describe("a fault in a tar dump", () => {
  const name = "15/tar.tar";
  test.each<[string, (bytes: Buffer) => Buffer, string[]]>([
    [
      "cut in a member",
      (bytes) => bytes.subarray(0, 9000),
      ["damage end-marker", "damage members"],
    ],
    [
      "cut between members",
      (bytes) => bytes.subarray(0, headerOf(bytes, "restore.sql")),
      ["damage end-marker", "damage members"],
    ],
    ["cut in its last blocks", (bytes) => bytes.subarray(0, -600), ["damage end-marker"]],
    ["twice", (bytes) => Buffer.concat([bytes, bytes]), ["damage end-marker"]],
    [
      "a header damaged",
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, headerOf(bytes, "restore.sql")),
          Buffer.from("X"),
          bytes.subarray(headerOf(bytes, "restore.sql") + 1),
        ]),
      ["damage checksum", "damage members"],
    ],
    [
      "a row with a field more",
      (bytes) =>
        Buffer.from(bytes.toString("latin1").replace(/^(7\t\d+\t\w)\w/m, "$1\t"), "latin1"),
      ["damage rows"],
    ],
  ])("is found: %s", async (_name, change, expected) => {
    expect(await verdictsOf(name, change)).toEqual(expected);
  });
});

function headerOf(tar: Buffer, member: string): number {
  for (let at = 0; at < tar.length; at += 512) {
    if (tar.toString("latin1", at, at + member.length + 1) === `${member}\0`) return at;
  }
  throw new Error(`${member} is not in the archive`);
}
