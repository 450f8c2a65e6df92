import { execFileSync, spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
  type DumpExamination,
  dumpAt,
  examineDump,
  isPostDataStatement,
  plainSqlFilter,
} from "../../../shared/dump-format/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";

const MAJORS = ["14", "15", "16", "17", "18"] as const;
const folder = mkdtempSync(join(tmpdir(), "seaworthy-dumps-"));
const servers = new Map<string, PostgresServer>();

/** Everything that pg_dump has a form of its own for. */
const SCHEMA = `
CREATE SCHEMA shop;
CREATE EXTENSION pgcrypto;
CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'Ümläut');
CREATE DOMAIN shop.email AS text CHECK (VALUE ~ '@');
CREATE TABLE shop.customer (id serial PRIMARY KEY, name text NOT NULL, mail shop.email, mood shop.mood DEFAULT 'ok', data jsonb, "Odd; \\! Name" text);
CREATE TABLE shop."Order; Item" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer int REFERENCES shop.customer, note text, raw bytea);
INSERT INTO shop.customer (name, mail, data, "Odd; \\! Name") SELECT 'n' || i || E'\\t\\\\ line\\n;''$$', 'a' || i || '@b.c', jsonb_build_object('k', i), CASE WHEN i % 3 > 0 THEN 'ü€😀' || i END FROM generate_series(1, 500) i;
INSERT INTO shop."Order; Item" (customer, note, raw) SELECT i % 500 + 1, repeat('x', i % 50) || '\\.', decode(md5(i::text), 'hex') FROM generate_series(1, 1200) i;
CREATE TABLE shop.empty (a int, b text);
CREATE TABLE shop.nothing ();
INSERT INTO shop.nothing DEFAULT VALUES;
CREATE TABLE shop.parted (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE shop.parted1 PARTITION OF shop.parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE shop.parted2 PARTITION OF shop.parted DEFAULT;
INSERT INTO shop.parted SELECT i, '2024-06-01'::date + i FROM generate_series(1, 400) i;
CREATE TABLE shop.made (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
INSERT INTO shop.made VALUES (1), (2);
CREATE TABLE shop.child (extra text) INHERITS (shop.customer);
INSERT INTO shop.child (name, extra) VALUES ('c', 'e');
CREATE INDEX ON shop.customer (name);
CREATE VIEW shop.names AS SELECT id, name FROM shop.customer;
CREATE MATERIALIZED VIEW shop.counted AS SELECT count(*) c FROM shop.customer;
CREATE FUNCTION shop.f(x int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $fn$ BEGIN -- ' " $$ ;
 RETURN x + 1; END $fn$;
CREATE FUNCTION shop.g(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN x > 1 THEN x ELSE 0 END; SELECT x; END;
CREATE FUNCTION shop.h() RETURNS int LANGUAGE sql AS E'select 1;\\r\\n select 2;\\r\\n';
CREATE FUNCTION shop.t() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER t BEFORE INSERT ON shop.customer FOR EACH ROW EXECUTE FUNCTION shop.t();
CREATE RULE r AS ON DELETE TO shop.empty DO INSTEAD NOTHING;
CREATE POLICY p ON shop.customer USING (true);
COMMENT ON TABLE shop.customer IS E'it''s; -- a comment\\nwith \\\\! and pg_read_file';
CREATE STATISTICS shop.s ON id, name FROM shop.customer;
CREATE AGGREGATE shop.agg (int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE PUBLICATION pub FOR TABLE shop.empty;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO PUBLIC;
CREATE SEQUENCE shop.lone;
SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4000000000, decode(repeat('beef', 9999), 'hex'));
`;
const ROWS = {
  "shop.customer": 500,
  'shop."Order; Item"': 1200,
  "shop.empty": 0,
  "shop.nothing": 1,
  "shop.parted1": 213,
  "shop.parted2": 187,
  "shop.made": 2,
  "shop.child": 1,
};

beforeAll(async () => {
  const { postgres } = await resolveEndpoints(["postgres"]);
  for (const major of MAJORS) {
    const server = await PostgresServer.start(postgres[major] ?? "");
    servers.set(major, server);
    server.query("CREATE DATABASE shop");
    execFileSync(
      join(server.bin, "psql"),
      ["-qX", "-v", "ON_ERROR_STOP=1", "-d", server.url("shop")],
      { input: SCHEMA, stdio: "pipe" },
    );
  }
}, 60_000);

afterAll(async () => {
  await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()));
  rmSync(folder, { recursive: true });
}, 60_000);

function serverOf(major: string): PostgresServer {
  const server = servers.get(major);
  if (server === undefined) throw new Error(`there is no server ${major}`);
  return server;
}

function dump(major: string, name: string, ...options: string[]): string {
  const server = serverOf(major);
  const path = join(folder, `${major}-${name}`);
  execFileSync(join(server.bin, "pg_dump"), ["-d", server.url("shop"), "-f", path, ...options], {
    stdio: "pipe",
  });
  return path;
}

async function examine(path: string): Promise<DumpExamination> {
  return await examineDump(await dumpAt(path), { signal: new AbortController().signal });
}

function serious(examination: DumpExamination): string[] {
  return examination.findings
    .filter(({ weight }) => weight !== "note")
    .map(({ subject, what }) => `${subject}: ${what}`);
}

describe.each(MAJORS)("dumps of PostgreSQL %s are clean, and all rows are counted", (major) => {
  const forms: [string, string[]][] = [
    ["plain.sql", []],
    ["custom.dump", ["-Fc"]],
    ["directory", ["-Fd", "-j2"]],
    ["tar.tar", ["-Ft"]],
  ];
  // What differs between majors is in the forms above; the rarer ones are looked at on both ends.
  if (major === "14" || major === "18") {
    forms.push(
      ["create.sql", ["--create", "--clean", "--if-exists", "--verbose"]],
      ["inserts.sql", ["--rows-per-insert=50"]],
      ["root.sql", ["--load-via-partition-root"]],
      ["stored.dump", ["-Fc", "-Z0"]],
      ["inserts.dump", ["-Fc", "--column-inserts"]],
      ["root.dump", ["-Fc", "--load-via-partition-root"]],
    );
  }
  if (Number(major) >= 16) {
    forms.push(["lz4.dump", ["-Fc", "--compress=lz4"]], ["zstd", ["-Fd", "--compress=zstd"]]);
  }
  test.each(forms)("%s", async (name, options) => {
    const examination = await examine(dump(major, name, ...options));
    expect(serious(examination)).toEqual([]);
    expect(Object.fromEntries(examination.rows)).toEqual(ROWS);
    expect(examination.server).toMatch(new RegExp(`^${major}[. ]`));
  });

  test("of one table, of the whole server", async () => {
    const one = await examine(dump(major, "one.dump", "-Fc", "-t", "shop.customer"));
    expect([serious(one), [...one.rows]]).toEqual([[], [["shop.customer", 500]]]);
    const server = serverOf(major);
    const all = join(folder, `${major}-all.sql`);
    execFileSync(join(server.bin, "pg_dumpall"), ["-d", server.url(), "-f", all]);
    const cluster = await examine(all);
    expect(serious(cluster)).toEqual([]);
    expect(cluster.rows.get("shop: shop.customer")).toBe(500);
  });
});

test("what the filter lets through restores the same, and less without the statements behind the data", async () => {
  const server = serverOf("17");
  const source = dump("17", "filtered.sql");
  for (const [database, skip] of [
    ["whole", () => false],
    ["bare", isPostDataStatement],
  ] as const) {
    server.query(`CREATE DATABASE ${database}`);
    const collected = new PassThrough();
    const parts: Buffer[] = [];
    collected.on("data", (part: Buffer) => parts.push(part));
    await pipeline(
      createReadStream(source),
      plainSqlFilter({ skip, restrictKey: "key1" }),
      collected,
    );
    const args = ["-qX", "-v", "ON_ERROR_STOP=1", "-d", server.url(database)];
    execFileSync(join(server.bin, "psql"), args, {
      input: Buffer.concat(parts),
      stdio: ["pipe", "ignore", "pipe"],
    });
    expect(server.query('SELECT count(*) FROM shop."Order; Item"', database)).toBe("1200");
  }
  const indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'shop'";
  expect(server.query(indexes, "whole")).toBe("3");
  expect(server.query(indexes, "bare")).toBe("0");
});

describe("where damage makes pg_restore give something else, the verdict is seldom clean", () => {
  /** Numbers that are the same in every run. */
  function* numbers(): Generator<number, never> {
    let seed = 7;
    for (;;) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      yield seed >>> 8;
    }
  }

  test.each([
    ["15", "custom.dump"],
    ["17", "custom.dump"],
  ])("%s %s", async (major, form) => {
    const server = serverOf(major);
    const original = readFileSync(join(folder, `${major}-${form}`));
    const restore = (path: string) => {
      const options = { encoding: "latin1", timeout: 5000, maxBuffer: 1e8 } as const;
      const run = spawnSync(join(server.bin, "pg_restore"), ["-f", "-", path], options);
      return `${run.status} ${run.stdout.replace(/^(--|\\).*$/gm, "")}`;
    };
    const path = join(folder, `${major}-damaged.dump`);
    writeFileSync(path, original);
    const good = restore(path);
    const random = numbers();
    let changed = 0;
    let clean = 0;
    for (let round = 0; round < 40; round++) {
      const damaged = Buffer.from(original);
      const at = random.next().value % damaged.length;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (random.next().value % 8));
      writeFileSync(path, round % 8 === 0 ? damaged.subarray(0, at) : damaged);
      if (restore(path) === good) continue;
      changed += 1;
      if (serious(await examine(path)).length === 0) clean += 1;
    }
    expect(changed).toBeGreaterThan(20);
    expect(clean / changed).toBeLessThan(0.1);
  });
});
