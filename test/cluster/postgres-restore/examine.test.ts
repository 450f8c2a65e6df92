import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type PostgresFingerprint,
  parseExpectations,
} from "../../../shared/postgres-fingerprint/index.ts";
import { parseQueries } from "../../../shared/postgres-restore/index.ts";
import { alarmsOf, ProvingGround, worldOf } from "./proving-ground.ts";

let ground: ProvingGround;
let fingerprint: PostgresFingerprint;

beforeAll(async () => {
  ground = await ProvingGround.open("16");
  ground.source.query("CREATE DATABASE papers");
  ground.source.query(readFileSync(join(import.meta.dirname, "papers.sql"), "utf8"), "papers");
  fingerprint = await ground.fingerprint();
  ground.dump("custom", "-Fc");
  ground.dump("directory", "-Fd");
  ground.dump("tar", "-Ft");
  ground.dump("plain", "-Fp");
  writeFileSync(ground.path("plain.gz"), gzipSync(readFileSync(ground.path("plain"))));
}, 60_000);

afterAll(async () => {
  await ground?.[Symbol.asyncDispose]();
});

describe("a whole dump of a rich database, restored by a role that is no superuser", () => {
  test.each([
    ["custom", "full"],
    ["directory", "full"],
    ["plain.gz", "full"],
    ["tar", "data"],
    ["plain", "data"],
  ] as const)("%s at %s gives back everything", async (form, tier) => {
    const examination = await ground.examine(ground.path(form), { tier, fingerprint });
    expect(alarmsOf(examination)).toEqual([]);
    expect(examination.reached).toBe(tier);
    // A materialized view is filled only at the tier that comes after the rows.
    const tables = examination.items.filter(({ name }) => name !== "app.mv");
    expect(tables.filter(({ same }) => same !== true)).toEqual([]);
    expect(examination.restoreSeconds).toBeGreaterThan(0);
    expect(examination.circumstances?.isolation).toContain("no network");
  });

  test("what is missing is named, and the application's questions are asked", async () => {
    const path = ground.dump("fewer", "-Fc", "--exclude-table-data=public.items");
    const queries = parseQueries(`
- {name: orders, sql: SELECT count(*) FROM app.orders, expect: {equals: 20000}}
- {name: items, sql: SELECT * FROM items;, expect: {not-empty: true}}
- {name: writes, sql: DELETE FROM app.orders RETURNING 1, expect: {rows: 0}}`);
    const examination = await ground.examine(path, {
      tier: "full",
      fingerprint,
      queries,
      expectations: parseExpectations("tables: {app.orders: 20000, public.items: {min-rows: 10}}"),
    });
    expect(alarmsOf(examination).sort()).toEqual([
      "expectation damage table public.items",
      "query damage query items",
      "query damage query writes",
      "row-count damage table public.items",
      "rows damage table public.items",
      "structure doubt table public.items",
    ]);
  });

  test("without a fingerprint, a live source tells what changed since", async () => {
    ground.source.query("INSERT INTO public.items (doc) VALUES ('{}')", "papers");
    const examination = await ground.examine(ground.path("custom"), { live: true });
    expect(alarmsOf(examination)).toEqual([]);
    expect(
      examination.findings.find(({ subject }) => subject === "table public.items"),
    ).toMatchObject({
      weight: "note",
    });
    expect(examination.unknown.join(" ")).toContain("live source as it is now");
  });
});

describe("a broken dump", () => {
  test.each(["custom", "tar", "plain"])("%s, cut off in the middle", async (form) => {
    const path = ground.path(`cut-${form}`);
    copyFileSync(ground.path(form), path);
    truncateSync(path, Math.floor(readFileSync(path).length / 2));
    const examination = await ground.examine(path, { fingerprint });
    expect(
      examination.findings.some(({ weight, tier }) => weight === "damage" && tier === "data"),
    ).toBe(true);
  });

  test("a directory whose member is empty restores without a word, and is found", async () => {
    const path = ground.dump("hollow", "-Fd", "-Z0");
    const [largest = ""] = readdirSync(path)
      .filter((name) => /^\d+\.dat$/.test(name))
      .sort((a, b) => readFileSync(join(path, b)).length - readFileSync(join(path, a)).length);
    truncateSync(join(path, largest), 0);
    const examination = await ground.examine(path, { fingerprint });
    expect(alarmsOf(examination)).toContain("row-count damage table app.orders");
  });
});

describe("a throw-away server", () => {
  test("goes when the job is cancelled, and leaves nothing", async () => {
    const cancel = new AbortController();
    const path = ground.write(
      "endless.sql",
      "-- PostgreSQL database dump\nSELECT pg_catalog.pg_sleep(60);\n",
    );
    const folder = mkdtempSync(join(tmpdir(), "examine-"));
    chmodSync(folder, 0o755);
    const examination = ground.examine(path, { server: { folder } }, worldOf(cancel.signal));
    setTimeout(() => cancel.abort(new Error("cancelled by the test")), 2_500);
    await expect(examination).rejects.toThrow("cancelled by the test");
    expect(readdirSync(folder)).toEqual([]);
  });
});
