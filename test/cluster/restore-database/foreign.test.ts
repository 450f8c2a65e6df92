import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { bundleOf, failureOf, runStep, type Step } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { SHOP, STATE, WHOLE } from "./shop.ts";

let server: PostgresServer;
let folder: string;

beforeAll(async () => {
  const programs = (await resolveEndpoints(["postgres"])).postgres ?? {};
  server = await PostgresServer.start(programs["16"] ?? "");
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-test-"));
  server.query('CREATE ROLE reader; CREATE ROLE "shop-owner"');
  server.query('CREATE DATABASE shop OWNER "shop-owner"');
  server.query(SHOP, "shop");
  server.query('ALTER TABLE app.orders OWNER TO "shop-owner"', "shop");
  const dump = (...args: string[]) => server.run("pg_dump", ["-d", server.url("shop"), ...args]);
  dump("-Fc", "-f", join(folder, "shop-custom.dump"));
  dump("-Ft", "-f", join(folder, "shop-tar.tar"));
  dump("-Fd", "-f", join(folder, "shop-folder"));
  const sql = dump("--create");
  writeFileSync(join(folder, "shop-sql.sql.gz"), gzipSync(sql));
  writeFileSync(join(folder, "evil.sql"), `${sql}\nCOPY app.events FROM PROGRAM 'id';\n`);
  writeFileSync(join(folder, "torn.sql.gz"), gzipSync(sql).subarray(0, -3_000));
  writeFileSync(join(folder, "cut.sql"), sql.slice(0, sql.length / 2));
}, 30_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  server.query("DROP DATABASE IF EXISTS target WITH (FORCE)");
});

async function restore(inputs: Readonly<Record<string, string>>): Promise<Step> {
  return await runStep(bundleOf("restore-database"), {
    inputs: {
      ...{ storage: folder, target: server.url("target"), "postgres-bin": server.bin },
      ...inputs,
    },
  });
}

describe("a dump of another tool", () => {
  it.each(["shop-custom.dump", "shop-tar.tar", "shop-folder", "shop-sql.sql.gz"])(
    "%s is restored, and held to what it says of itself",
    async (pattern) => {
      const { exitCode, outputs, summary } = await restore({ pattern });
      expect([exitCode, outputs.cause]).toEqual([0, ""]);
      expect(server.query(STATE, "target")).toBe(WHOLE);
      expect(summary).toContain("There is no fingerprint of the source");
      expect(
        server.query("SELECT relowner::regrole FROM pg_class WHERE relname = 'orders'", "target"),
      ).toBe('"shop-owner"');
    },
    20_000,
  );

  it("gives back the contents of a table, and takes a database's own place", async () => {
    server.query("CREATE DATABASE target TEMPLATE shop");
    server.query("DELETE FROM app.lines; UPDATE app.customers SET name = 'kept'", "target");
    const inputs = { replace: "target", "backup-before": "false" };
    const table = await restore({ ...inputs, pattern: "shop-custom.dump", tables: "app.lines" });
    expect([table.exitCode, table.outputs.cause]).toEqual([0, ""]);
    expect(server.query(STATE, "target")).toBe(WHOLE);
    const kept = "SELECT count(*) FROM app.customers WHERE name = 'kept'";
    expect(server.query(kept, "target")).toBe("300");
    const whole = await restore({ ...inputs, pattern: "shop-sql.sql.gz", method: "in-place" });
    expect([whole.exitCode, whole.outputs.cause]).toEqual([0, ""]);
    expect([server.query(STATE, "target"), server.query(kept, "target")]).toEqual([WHOLE, "0"]);
  }, 30_000);

  it.each([
    ["evil.sql", "runs a program on the server"],
    ["torn.sql.gz", "its gzip data ends"],
    ["cut.sql", "inside of the rows of COPY app.lines"],
  ])("%s is refused before anything is made", async (pattern, words) => {
    const step = await restore({ pattern });
    expect(failureOf(step)).toContain(words);
    expect(server.query("SELECT count(*) FROM pg_database WHERE datname ~ 'target'")).toBe("0");
  });
});
