import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  compareFingerprints,
  takeFingerprint,
} from "../../../shared/postgres-fingerprint/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { connect, fingerprintOf, makeRich, makeRoles } from "./databases.ts";

let bin: string;
let server: PostgresServer;

beforeAll(async () => {
  bin = (await resolveEndpoints(["postgres"])).postgres["15"] ?? "";
  server = await PostgresServer.start(bin);
  makeRoles(server);
  makeRich(server, "rich");
  server.query(
    `CREATE DATABASE big;
     CREATE ROLE reader LOGIN BYPASSRLS IN ROLE pg_read_all_data`,
  );
  server.query(
    `CREATE TABLE wide (id int PRIMARY KEY, v text);
     INSERT INTO wide SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 60000) i;
     DELETE FROM wide WHERE id % 7 = 0`,
    "big",
  );
}, 60_000);

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

test("a big table that is read in pieces by several is the same as one read by one", async () => {
  const alone = await fingerprintOf(server, "big", { parallel: 1 });
  const told: number[] = [];
  const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }) =>
    void told.push(bytes / totalBytes);
  const several = await fingerprintOf(server, "big", { parallel: 4, onProgress });
  expect(several.tables).toEqual(alone.tables);
  expect(alone.tables["public.wide"]?.rows).toBe(60_000 - Math.floor(60_000 / 7));
  expect(told.length).toBeGreaterThan(2);
  expect(told.at(-1)).toBe(1);
  expect(told).toEqual([...told].sort((a, b) => a - b));
});

test("who may only read sees the same, as far as large objects are his to read", async () => {
  const whole = await fingerprintOf(server, "rich");
  const seen = await takeFingerprint(
    {
      open: () =>
        connect(server, "rich", [
          "SET SESSION AUTHORIZATION reader",
          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ]),
    },
    {
      parallel: 2,
      signal: new AbortController().signal,
      like: whole,
      excluded: { schemas: [], tables: [], data: [], largeObjects: true },
    },
  );
  const { findings } = compareFingerprints({ ...whole, excluded: ["large objects"] }, seen, {
    tier: "full",
  });
  expect(findings).toEqual([]);
});

test("a standby shows the same, but no unlogged rows", async () => {
  server.run("pg_basebackup", [
    "-R",
    "-X",
    "stream",
    "-c",
    "fast",
    "-d",
    server.url("postgres"),
    "-D",
    `${server.folder}/standby`,
  ]);
  execFileSync("chown", ["-R", `--reference=${server.data}`, `${server.folder}/standby`]);
  const whole = await fingerprintOf(server, "rich");
  await using standby = await PostgresServer.start(bin, { data: `${server.folder}/standby` });
  const seen = await fingerprintOf(standby, "rich", {
    like: whole,
    heartbeat: "shop.customers.created",
  });
  expect(compareFingerprints(whole, seen, { tier: "full" }).findings).toEqual([]);
  expect(seen.tables["public.scratch"]?.unread).toBe("unlogged on a standby");
  expect(seen.server.standby).toBe(true);
  expect(seen.heartbeat?.value).toBe("2024-01-01 08:20:00+00");
  expect(seen.heartbeat?.secondsOld).toBeGreaterThan(86_400 * 365);
}, 30_000);

test("any bytes of a database without an encoding are told apart", async () => {
  server.query(
    "CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
  );
  server.query(
    `CREATE TABLE t (id text PRIMARY KEY, v text);
    INSERT INTO t SELECT E'k\\xe9' || i, E'caf\\xe9 ' || i FROM generate_series(1, 300) i`,
    "bytes",
  );
  const before = await fingerprintOf(server, "bytes");
  server.query("UPDATE t SET v = E'caf\\xe8 7' WHERE v = E'caf\\xe9 7'", "bytes");
  const after = await fingerprintOf(server, "bytes", { like: before });
  const { findings } = compareFingerprints(before, after, { tier: "data" });
  expect(findings.map(({ detector, subject }) => `${detector} ${subject}`)).toEqual([
    "content table public.t",
  ]);
});

test("what was left out by intent is neither there nor missed", async () => {
  const excluded = {
    schemas: ['Odd "Names"'],
    tables: [{ schema: "public", name: "log" }],
    data: [{ schema: "public", name: "documents" }],
  };
  const dumped = await fingerprintOf(server, "rich", { excluded });
  expect(dumped.tables["public.documents"]).toMatchObject({ rows: 0, unread: "excluded" });
  expect(Object.keys(dumped.tables)).not.toContain("public.log");
  expect(JSON.stringify(dumped)).not.toContain('Table \\\\\\"1');
  const file = `${server.folder}/part`;
  const left = [
    '--exclude-schema="Odd"*',
    "--exclude-table=public.log",
    "--exclude-table-data=public.documents",
  ];
  server.run("pg_dump", ["-Fc", ...left, "-d", server.url("rich"), "-f", file]);
  server.query("CREATE DATABASE part TEMPLATE template0");
  server.run("pg_restore", ["--exit-on-error", "-d", server.url("part"), file]);
  const found = await fingerprintOf(server, "part", { like: dumped });
  expect(compareFingerprints(dumped, found, { tier: "full" }).findings).toEqual([]);
});

test("nothing of a secret is in it, and sequences are told of before anything is dumped", async () => {
  const order: string[] = [];
  const print = await fingerprintOf(server, "rich", {
    onSequences: () => void order.push("sequences"),
    onProgress: () => void order.push("rows"),
  });
  expect(order[0]).toBe("sequences");
  expect(JSON.stringify(print)).not.toContain("very-secret");
});

test.each([
  ["no.such.column", /relation "no\.such" does not exist/],
  ["SELECT 1 UNION SELECT 2", /more than one row/],
  ["SELECT 1; DROP TABLE x", /several statements/],
])("a heartbeat that cannot be: %s", async (heartbeat, words) => {
  await expect(fingerprintOf(server, "rich", { heartbeat })).rejects.toThrow(words);
});

test("it ends at once when it is cancelled", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const taking = fingerprintOf(server, "rich", {
    signal: controller.signal,
    onSequences: () => controller.abort(reason),
  });
  await expect(taking).rejects.toThrow("enough");
});

test("functions that are replaced or dropped meanwhile are told as the snapshot has them", async () => {
  server.query(`CREATE DATABASE moving`);
  server.query(
    `CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
     CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
     CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS 'SELECT 3'`,
    "moving",
  );
  const before = await fingerprintOf(server, "moving");
  const begin = [
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SELECT 1 FROM pg_class LIMIT 1",
  ];
  const session = await connect(server, "moving", begin);
  server.query(
    `CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2';
     CREATE OR REPLACE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN PERFORM 2; END $$;
     DROP FUNCTION gone()`,
    "moving",
  );
  const { signal } = new AbortController();
  const open = async () => session;
  const during = await takeFingerprint({ open }, { parallel: 1, signal });
  const { "public.gone()": _, ...others } = before.catalog.function ?? {};
  expect(during.catalog.function).toEqual(others);
});
