import { describe, expect, it } from "@jest/globals";
import { matches, timeInName } from "../../../shared/backup/foreign.ts";
import {
  catalogue,
  chooseBackup,
  chooseForeign,
  foreignBackups,
} from "../../../shared/backup/index.ts";
import { MemoryStorage } from "./memory-storage.ts";

const { signal } = new AbortController();
const IDS = ["20261120T030000Z-aaaaaa", "20261121T030000Z-bbbbbb", "20261121T150000Z-cccccc"];

function filled(): MemoryStorage {
  const storage = new MemoryStorage();
  for (const id of IDS) {
    storage.put(`papers/${id}/dump`, "1");
    storage.put(`papers/${id}/manifest.json`, "{}");
  }
  storage.put("papers/20261122T030000Z-dddddd/dump", "half");
  storage.put("papers/old.sql.gz", "foreign");
  storage.put("papers-2/20261122T030000Z-dddddd/manifest.json", "{}");
  return storage;
}

describe("the catalogue", () => {
  it("tells backups, unfinished ones and foreign files apart", async () => {
    const { backups, incomplete, foreign } = await catalogue(filled(), "papers", signal);
    expect(backups.map(({ id }) => id)).toEqual(IDS);
    expect(incomplete.map(({ id }) => id)).toEqual(["20261122T030000Z-dddddd"]);
    expect(foreign.map(({ name }) => name)).toEqual(["papers/old.sql.gz"]);
  });

  it.each([
    ["latest", IDS[2]],
    ["", IDS[2]],
    [IDS[0] ?? "", IDS[0]],
    ["20261120", IDS[0]],
    ["20261121T15", IDS[2]],
    ["before 2026-11-21T12:00:00Z", IDS[1]],
    ["BEFORE 2026-11-21", IDS[0]],
  ])("finds %j", async (which, id) => {
    const list = await catalogue(filled(), "papers", signal);
    expect(chooseBackup(list, which).id).toBe(id);
  });

  it.each([
    [
      "2027",
      'papers has no backup "2027". There are 20261121T150000Z-cccccc, 20261121T030000Z-bbbbbb, 20261120T030000Z-aaaaaa; beside, 1 that were never finished and 1 files',
    ],
    [
      "20261121",
      '2 backups of papers begin with "20261121". There are 20261121T150000Z-cccccc, 20261121T030000Z-bbbbbb',
    ],
    ["20261122", "20261122T030000Z-dddddd has no manifest: it was never finished"],
    ["before 2020-01-01", "papers has no backup from before 2020-01-01T00:00:00.000Z"],
    ["before yesterday", '"yesterday" is no moment in time'],
  ])("says what there is where there is no %j", async (which, words) => {
    const list = await catalogue(filled(), "papers", signal);
    expect(() => chooseBackup(list, which)).toThrow(words);
  });

  it("says so where there is nothing", async () => {
    const list = await catalogue(new MemoryStorage(), "papers", signal);
    expect(() => chooseBackup(list, "latest")).toThrow(
      "papers has no backup that is complete. There is none at all.",
    );
  });
});

describe("backups of other tools", () => {
  it.each([
    ["papers-2026-11-22.sql.gz", "2026-11-22T00:00:00Z"],
    ["backup/papers_20261122_031500.dump", "2026-11-22T03:15:00Z"],
    ["papers-2026-11-22T03-15.tar", "2026-11-22T03:15:00Z"],
    ["2026.11.22-papers", "2026-11-22T00:00:00Z"],
    ["20261122T031500Z.rdb", "2026-11-22T03:15:00Z"],
    ["papers-20261122031500.sql", "2026-11-22T03:15:00Z"],
    ["papers-20261322.sql", undefined],
    ["papers-1234567890123.sql", undefined],
    ["papers.sql", undefined],
  ])("the time in %s", (name, expected) => {
    expect(timeInName(name)).toBe(expected && Date.parse(expected));
  });

  it.each([
    ["papers-*.sql.gz", "deep/papers-1.sql.gz", true],
    ["papers-*.sql.gz", "papers-1.sql", false],
    ["nightly/*.dump", "nightly/a.dump", true],
    ["nightly/*.dump", "nightly/b/a.dump", false],
    ["nightly/**/*.dump", "nightly/b/c/a.dump", true],
    ["nightly/**/*.dump", "nightly/a.dump", true],
    ["a?.sql", "ab.sql", true],
    ["a+(b).sql", "a+(b).sql", true],
  ])("%s and %s", (pattern, name, expected) => {
    expect(matches(pattern, name)).toBe(expected);
  });

  it("are in the order of the times in their names, or else of their writing", async () => {
    const storage = new MemoryStorage();
    storage.put("papers-2026-11-21.sql.gz", "b", { modified: 1 });
    storage.put("papers-2026-11-20.sql.gz", "a", { modified: 2 });
    storage.put("others-2026-11-22.sql.gz", "c");
    const found = await foreignBackups(storage, "papers-*.sql.gz", signal);
    expect(found.map(({ name }) => name)).toEqual([
      "papers-2026-11-20.sql.gz",
      "papers-2026-11-21.sql.gz",
    ]);
    expect(chooseForeign(found, "latest", "x").name).toBe("papers-2026-11-21.sql.gz");
    expect(chooseForeign(found, "papers-2026-11-20.sql.gz", "x").name).toBe(
      "papers-2026-11-20.sql.gz",
    );
    storage.put("papers-new.sql.gz", "d", { modified: 3 });
    const mixed = await foreignBackups(storage, "papers-*", signal);
    expect(mixed.at(-1)?.name).toBe("papers-new.sql.gz");
    expect(() => chooseForeign(mixed, "nothing", "papers-*")).toThrow(
      'None of 3 files named as papers-* is "nothing"; there are papers-new.sql.gz',
    );
    expect(() => chooseForeign([], "latest", "x-*")).toThrow(
      "No file of the storage is named as x-*",
    );
  });

  it("are one where they are a dump in directory format", async () => {
    const storage = new MemoryStorage();
    for (const file of ["toc.dat", "3001.dat.gz", "blobs.toc"])
      storage.put(`dumps/papers-20261122/${file}`, "12");
    storage.put("dumps/papers-20261121.dump", "1");
    const found = await foreignBackups(storage, "dumps/papers-*", signal);
    expect(found).toMatchObject([
      { name: "dumps/papers-20261121.dump" },
      { name: "dumps/papers-20261122/", bytes: 6 },
    ]);
    expect(found[1]?.files).toHaveLength(3);
  });
});
