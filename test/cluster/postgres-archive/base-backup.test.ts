import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import { parseExpectations } from "../../../shared/postgres-fingerprint/index.ts";
import { parseQueries } from "../../../shared/postgres-restore/index.ts";
import { silentLog } from "../../../shared/world/index.ts";
import { alarmsOf, worldOf } from "../postgres-restore/proving-ground.ts";
import { ArchivedSource } from "./archived-source.ts";

jest.setTimeout(60_000);

let source: ArchivedSource;
let other: ArchivedSource;

beforeAll(async () => {
  [source, other] = await Promise.all([
    ArchivedSource.open("15", ["--wal-segsize=1"]),
    ArchivedSource.open("17"),
  ]);
}, 90_000);

afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
});

const words = (examination: { findings: readonly { what: string }[] }) =>
  examination.findings.map(({ what }) => what).join("\n");

/** Changes bytes of a file in its place. */
function overwrite(path: string, at: number, bytes: Buffer): void {
  const file = openSync(path, "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

describe("a whole base backup", () => {
  test("is recovered to a moment: what is before is there, what comes after is not, and then is", async () => {
    const examination = await source.examine({
      ...{ tier: "full", to: source.moment },
      known: {
        expectations: parseExpectations(
          "tables: {public.steps: {rows: 5002}, public.elsewhere: 1}",
        ),
        queries: parseQueries(
          "[{name: last, sql: SELECT max(id) FROM steps, expect: {equals: 2}}]",
        ),
      },
    });
    expect(alarmsOf(examination)).toEqual([]);
    expect(examination.reached).toBe("full");
    expect(examination.items.find(({ name }) => name.endsWith("public.steps"))?.found).toBe(5_002);
    expect(examination.circumstances?.["point in time"]).toContain("the next one");
    expect(examination.restoreSeconds).toBeGreaterThan(0);
    expect(readdirSync(source.path("private"))).toEqual([]);
  }, 60_000);

  test("is recovered to the end of its WAL, also by 17", async () => {
    const examination = await other.examine({ tier: "data" });
    expect(alarmsOf(examination)).toEqual([]);
    expect(examination.items.find(({ name }) => name.endsWith("public.steps"))?.found).toBe(5_004);
  }, 60_000);

  test("is recovered from the WAL within it, held to SHA-256", async () => {
    const examination = await other.examine({ tier: "data", base: "streamed", wal: "none" });
    expect(alarmsOf(examination)).toEqual([]);
    expect(examination.items.find(({ name }) => name.endsWith("public.steps"))?.found).toBe(5_000);
  }, 60_000);

  test("leaves nothing where the job is cancelled while its server recovers", async () => {
    const cancel = new AbortController();
    const debug = (line: string) => {
      if (line.includes("starting")) cancel.abort(new Error("cancelled by the test"));
    };
    const world = { ...worldOf(cancel.signal), log: { ...silentLog, debug } };
    const examination = other.examine({ tier: "data", base: "streamed", wal: "none", world });
    await expect(examination).rejects.toThrow("cancelled by the test");
    expect(readdirSync(other.path("private"))).toEqual([]);
  });

  test("has the records that pg_waldump sees, also from compressed segments", async () => {
    const folder = source.copy("wal", "packed");
    for (const name of source.segments) {
      writeFileSync(
        join(folder, `${name}.gz`),
        gzipSync(readFileSync(join(folder, name)), { level: 1 }),
      );
      rmSync(join(folder, name));
    }
    const examination = await source.examine({ wal: "packed" });
    expect(alarmsOf(examination)).toEqual([]);
    const [, first = "", records, commits] =
      /^(.*?) segments, (\d+) records and (\d+) commits/.exec(
        examination.circumstances?.wal ?? "",
      ) ?? [];
    const from = source.segments.at(-Number(first)) ?? "";
    const dump = source.waldump(from, source.segments.at(-1) ?? "");
    const start = /WAL (\S+)$/.exec(examination.circumstances?.["base backup"] ?? "")?.[1] ?? "";
    const lsn = (text: string) =>
      text
        .split("/")
        .map((part) => part.padStart(8, "0"))
        .join("");
    const lines = dump
      .split("\n")
      .filter((line) => lsn(/lsn: (\S+),/.exec(line)?.[1] ?? "0/0") >= lsn(start));
    expect(Number(records)).toBe(lines.length);
    expect(Number(commits)).toBe(lines.filter((line) => line.includes("desc: COMMIT")).length);
  });
});

describe("a moment that cannot be recovered to", () => {
  test.each([
    [
      "after the end of the WAL",
      "2096-01-01T00:00:00Z",
      "It is beyond the end of the WAL: its last transaction ended at",
    ],
    ["before the base backup", "2006-01-01T00:00:00Z", "It is before the end of the base backup"],
  ])("%s is told", async (_, to, what) => {
    const examination = await source.examine({ to });
    expect(words(examination)).toContain(what);
    expect(alarmsOf(examination)).toEqual([
      expect.stringMatching(/^point-in-time damage point in time/),
    ]);
  });

  test("on a timeline that nothing leads to is told", async () => {
    const unknown = await source.examine({ timeline: 7 });
    expect(words(unknown)).toContain("Its history, 00000007.history, is not in the archive");
    const folder = source.copy("wal", "forked");
    writeFileSync(join(folder, "00000002.history"), "1\t0/100000\tno recovery target specified\n");
    const early = await source.examine({ wal: "forked" });
    expect(words(early)).toMatch(/left timeline 1 at 0\/100000, before the base backup began/);
    expect(alarmsOf(await source.examine({ wal: "forked", timeline: "current" }))).toEqual([]);
  });
});

describe("damaged WAL", () => {
  const damage: readonly [string, (folder: string, names: string[]) => void, RegExp][] = [
    [
      "a segment is missing",
      (folder, names) => rmSync(join(folder, names.at(-2) ?? "")),
      /There is a gap: 0{7}1\w{16} is missing/,
    ],
    [
      "the first segment is missing",
      (folder, names) => {
        for (const name of names.slice(0, -2)) rmSync(join(folder, name));
      },
      /The base backup begins in segment \w{24}, and that is missing/,
    ],
    [
      "a segment is cut",
      (folder, names) => truncateSync(join(folder, names.at(-2) ?? ""), 500_000),
      /the segment has fewer than its 1048576 bytes/,
    ],
    [
      "a bit of a record is flipped",
      (folder, names) => flip(join(folder, names.at(-1) ?? "")),
      /does not have the checksum|is said to have|follows/,
    ],
    [
      "a page is another's",
      (folder, names) => overwrite(join(folder, names.at(-1) ?? ""), 8, Buffer.alloc(8, 1)),
      /says that it is at/,
    ],
    [
      "a segment is another server's",
      (folder, names) => overwrite(join(folder, names.at(-1) ?? ""), 24, Buffer.alloc(8, 1)),
      /is of the database system/,
    ],
    [
      "a segment is of another timeline",
      (folder, names) => overwrite(join(folder, names.at(-1) ?? ""), 4, Buffer.from([9, 0, 0, 0])),
      /is of timeline 9/,
    ],
    [
      "a segment is empty",
      (folder, names) => writeFileSync(join(folder, names.at(-1) ?? ""), ""),
      /the segment has fewer/,
    ],
  ];

  /** Within the first record of a segment. */
  function flip(path: string): void {
    const bytes = readFileSync(path);
    overwrite(path, 40 + 26, Buffer.from([(bytes[66] ?? 0) ^ 4]));
  }

  test.each(damage)("%s", async (name, harm, what) => {
    const folder = source.copy("wal", `wal ${name}`);
    harm(folder, source.segments);
    const examination = await source.examine({ wal: `wal ${name}` });
    expect(words(examination)).toMatch(what);
    rmSync(folder, { recursive: true });
  });
});

describe("a damaged base backup", () => {
  const damage: readonly [string, (folder: string) => void, RegExp][] = [
    [
      "base.tar is cut",
      (folder) => {
        const path = join(folder, "base.tar.gz");
        truncateSync(path, Math.floor(readFileSync(path).length / 2));
      },
      /cut short/,
    ],
    [
      "a file is changed",
      (folder) =>
        repack(folder, (tar) => {
          const at = tar.indexOf("word word word");
          tar.write("Word", at);
        }),
      /does not have the checksum that the manifest lists/,
    ],
    [
      "a tablespace is missing",
      (folder) =>
        rmSync(join(folder, readdirSync(folder).find((name) => /^\d+\.tar/.test(name)) ?? "")),
      /The manifest lists it, and it is missing/,
    ],
    [
      "the manifest is changed",
      (folder) => {
        const path = join(folder, "backup_manifest");
        writeFileSync(path, readFileSync(path, "utf8").replace('"Size": 3', '"Size": 4'));
      },
      /does not have the checksum that stands at its end/,
    ],
    [
      "it lacks backup_label",
      (folder) =>
        repack(folder, (tar) => {
          tar.write("backup_table", tar.indexOf("backup_label"));
          resum(tar, tar.indexOf("backup_table"));
        }),
      /^members damage backup_label$/m,
    ],
  ];

  function repack(folder: string, harm: (tar: Buffer) => void): void {
    const path = join(folder, "base.tar.gz");
    const tar = gunzipSync(readFileSync(path));
    harm(tar);
    writeFileSync(path, gzipSync(tar, { level: 1 }));
  }

  /** Of a header that was changed. */
  function resum(tar: Buffer, at: number): void {
    tar.fill(" ", at + 148, at + 156);
    const sum = tar.subarray(at, at + 512).reduce((all, byte) => all + byte, 0);
    tar.write(`${sum.toString(8).padStart(6, "0")}\0 `, at + 148, "latin1");
  }

  test.each(damage)("%s", async (name, harm, what) => {
    harm(source.copy("tar", name));
    const examination = await source.examine({ base: name });
    expect(`${words(examination)}\n${alarmsOf(examination).join("\n")}`).toMatch(what);
    expect(alarmsOf(examination).length).toBeGreaterThan(0);
  });

  test("WAL of another cluster is refused", async () => {
    renameSync(source.copy("wal", "elsewhere"), source.path("strangers"));
    for (const name of source.segments)
      overwrite(source.path("strangers", name), 24, Buffer.alloc(8, 3));
    expect(words(await source.examine({ wal: "strangers" }))).toContain(
      "this is another server's WAL",
    );
  });
});
