import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, jest, test } from "@jest/globals";
import {
  chooseSet,
  examineRepository,
  parseTarget,
} from "../../../shared/postgres-archive/index.ts";
import { walG } from "../../../shared/postgres-archive/wal-g.ts";
import { parseExpectations } from "../../../shared/postgres-fingerprint/index.ts";
import type { Tier } from "../../../shared/proof/index.ts";
import { openStorage } from "../../../shared/storage/index.ts";
import { alarmsOf, worldOf } from "../postgres-restore/proving-ground.ts";
import { ArchivedSource } from "./archived-source.ts";

jest.setTimeout(60_000);

/** The stand-in keeps to what WAL-G documents; WAL-G itself cannot be had here. */
const STAND_IN = resolve("test/servers/wal-g.mjs");
const LABEL = "base_000000010000000000000004";
const folder = mkdtempSync(join(tmpdir(), "seaworthy-wal-g-"));
const path = process.env.PATH;
let source: ArchivedSource;

beforeAll(async () => {
  source = await ArchivedSource.open("15", ["--wal-segsize=1"]);
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin", "wal-g"),
    `#!/bin/sh\nexec "${process.execPath}" "${STAND_IN}" "$@"\n`,
  );
  chmodSync(join(folder, "bin", "wal-g"), 0o755);
  process.env.PATH = `${join(folder, "bin")}:${path}`;
  const parts = join(folder, "repository", "basebackups_005", LABEL, "tar_partitions");
  cpSync(source.path("tar"), parts, { recursive: true });
  rmSync(join(parts, "backup_manifest"));
  const oids = readdirSync(parts).flatMap((name) => /^(\d+)\.tar/.exec(name)?.[1] ?? []);
  const elsewhere = oids.map((oid) => [
    oid,
    { loc: source.path("tablespace"), link: `pg_tblspc/${oid}` },
  ]);
  const now = new Date().toISOString();
  writeFileSync(
    join(folder, "repository", "basebackups_005", `${LABEL}_backup_stop_sentinel.json`),
    JSON.stringify({
      ...{ LSN: 1, FinishLSN: 2, PgVersion: 150_000, UncompressedSize: 1, CompressedSize: 1 },
      ...{ StartTime: now, FinishTime: "2020-01-01T00:00:00Z" },
      Spec: { base_prefix: "/gone", tablespaces: oids, ...Object.fromEntries(elsewhere) },
    }),
  );
  const wal = join(folder, "repository", "wal_005");
  mkdirSync(wal);
  for (const name of readdirSync(source.path("wal")))
    writeFileSync(
      join(wal, `${name}.gz`),
      gzipSync(readFileSync(source.path("wal", name)), { level: 1 }),
    );
  writeFileSync(join(wal, `${source.segments[0]}.json`), "{}");
  utimesSync(join(wal, `${source.segments.at(-1)}.gz`), 1e9, 1e9);
}, 90_000);

afterAll(async () => {
  process.env.PATH = path;
  await source?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function examine(tier: Tier, { to = "latest", at = "repository", which = "latest" } = {}) {
  const world = worldOf();
  const place = { kind: "folder" as const, path: join(folder, at) };
  const storage = await openStorage({ location: place.path }, world);
  await using repository = await walG({ place, storage });
  const target = parseTarget(to);
  const set = chooseSet(await repository.backups(world), which, target, repository);
  const within = source.path("private");
  const expectations = parseExpectations("tables: {public.steps: 5000, public.elsewhere: 1}");
  return await examineRepository(
    repository,
    set,
    {
      known: { database: "shop", expectations },
      settings: { target, timeline: "latest", bin: source.server.bin, memory: 2 ** 30, within },
    },
    tier,
    world,
  );
}

/** A copy of the repository, to damage. */
function copy(name: string): string {
  cpSync(join(folder, "repository"), join(folder, name), { recursive: true });
  return join(folder, name);
}

const words = (examination: { findings: readonly { what: string }[] }) =>
  examination.findings.map(({ what }) => what).join("\n");

test("a backup is recovered to a moment, with its tablespaces, and goes on behind it", async () => {
  const before = readdirSync(source.path("tablespace"), { recursive: true }).length;
  const examination = await examine("data", { to: source.moment });
  expect(alarmsOf(examination)).toEqual([]);
  expect(examination.reached).toBe("data");
  expect(examination.items.find(({ name }) => name.endsWith("public.steps"))?.found).toBe(5_002);
  expect(examination.items.find(({ name }) => name.endsWith("public.elsewhere"))?.found).toBe(1);
  expect(examination.circumstances?.["point in time"]).toContain("the next one");
  expect(readdirSync(source.path("tablespace"), { recursive: true })).toHaveLength(before);
  expect(readdirSync(source.path("private"))).toEqual([]);
});

describe("what is broken is found", () => {
  test("a segment that is missing", async () => {
    const wal = join(copy("gap"), "wal_005");
    rmSync(join(wal, `${source.segments.at(-2)}.gz`));
    expect(words(await examine("integrity", { at: "gap" }))).toMatch(/There is a gap/);
  });

  test("a segment that cannot be unpacked", async () => {
    const wal = join(copy("torn"), "wal_005");
    truncateSync(join(wal, `${source.segments.at(-2)}.gz`), 100);
    expect(words(await examine("integrity", { at: "torn" }))).toMatch(
      /wal-g could not fetch it: .*decompress/,
    );
  });

  test("a partition that is cut off", async () => {
    const parts = join(copy("cut"), "basebackups_005", LABEL, "tar_partitions");
    truncateSync(join(parts, "base.tar.gz"), 10_000);
    const examination = await examine("integrity", { at: "cut" });
    expect(words(examination)).toMatch(/wal-g could not fetch it: Failed to fetch backup/);
  });

  test("a sentinel that is none", async () => {
    const at = join(copy("odd"), "basebackups_005", `${LABEL}_backup_stop_sentinel.json`);
    const text = readFileSync(at, "utf8");
    writeFileSync(at, text.replace('"LSN"', '"lsn"'));
    expect(words(await examine("integrity", { at: "odd" }))).toMatch(/no description of a backup/);
  });
});

describe("what is asked for wrongly is told", () => {
  test("a repository without backups", async () => {
    mkdirSync(join(folder, "empty"));
    await expect(examine("data", { at: "empty" })).rejects.toThrow("knows of no backup");
  });

  test("a backup that is not there", async () => {
    await expect(examine("data", { which: "base_00F" })).rejects.toThrow(`there are ${LABEL}`);
  });

  test("wal-g that is not there", async () => {
    process.env.PATH = "/nowhere";
    try {
      await expect(examine("data")).rejects.toThrow("not on the PATH");
    } finally {
      process.env.PATH = `${join(folder, "bin")}:${path}`;
    }
  });
});
