import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import {
  bundleOf,
  failureOf,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { SHOP, STATE, WHOLE } from "./shop.ts";

const RESTORE = bundleOf("restore-database");

let server: PostgresServer;
let folder: string;

beforeAll(async () => {
  const programs = (await resolveEndpoints(["postgres"])).postgres ?? {};
  server = await PostgresServer.start(programs["16"] ?? "");
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-test-"));
  server.query("CREATE ROLE reader");
  server.query("CREATE DATABASE shop");
  server.query("COMMENT ON DATABASE shop IS 'the shop'");
  server.query("ALTER DATABASE shop SET work_mem = '8MB'");
  server.query("REVOKE CONNECT ON DATABASE shop FROM PUBLIC");
  server.query(SHOP, "shop");
  const inputs = { ...common(), kind: "postgres", source: server.url("shop") };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs });
  if (exitCode !== 0) throw new Error(stdout);
}, 30_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Each finds a database from which something is gone. */
beforeEach(() => {
  server.query("DELETE FROM app.lines WHERE of > 100; DELETE FROM app.events_25", "shop");
});

function common(): Record<string, string> {
  return { name: "shop", storage: folder, "postgres-bin": server.bin };
}

async function restore(inputs: Readonly<Record<string, string>>): Promise<Step> {
  return await runStep(RESTORE, { inputs: { ...common(), target: server.url("shop"), ...inputs } });
}

function databases(): string {
  return server.query(
    "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'shop'",
  );
}

/** Without the number of a large object, which differs from run to run. */
function told(step: Step): string {
  return failureOf(step).replace(/(?<=large object )\d+/, "16489");
}

describe("a restore beside", () => {
  it("takes the database's place, keeps what was there, and gives it its properties", async () => {
    const { exitCode, outputs } = await restore({ replace: "shop" });
    expect([exitCode, outputs.verdict]).toEqual([0, "passed"]);
    expect(server.query(STATE, "shop")).toBe(WHOLE);
    const kept = outputs["previous-database"] ?? "";
    expect(server.query("SELECT count(*) FROM app.lines", kept)).toBe("100");
    expect(readdirSync(join(folder, "shop-before-restore"))).toContain(outputs["previous-backup"]);
    expect(Number(outputs["lost-seconds"])).toBeGreaterThan(0);
    expect(JSON.parse(outputs.phases ?? "[]")).toContainEqual(
      expect.objectContaining({ name: "switch" }),
    );
    expect(
      server.query(
        "SELECT shobj_description(oid, 'pg_database'), datacl::text !~ '=Tc', (SELECT setconfig FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM pg_database d WHERE datname = 'shop'",
      ),
    ).toBe("the shop|t|{work_mem=8MB}");
    server.query(`DROP DATABASE "${kept}"`);
  }, 20_000);

  it("leaves alone what is not empty, as its README quotes", async () => {
    const step = await restore({});
    expect(step.exitCode).toBe(1);
    const { said, kept } = snapshot("restore-database", told(step));
    expect(said).toBe(kept);
    expect(server.query("SELECT count(*) FROM app.lines", "shop")).toBe("100");
  }, 10_000);

  it("says who else restores it, and refuses a name that was typed wrong", async () => {
    const other = await startStep(RESTORE, {
      inputs: {
        ...common(),
        target: server.url("shop"),
        replace: "shop",
        "keep-previous": "false",
      },
    });
    await other.logged(/Restoring into/);
    other.child.kill("SIGSTOP");
    const [second, mistaken] = await Promise.all([
      restore({ replace: "shop" }),
      restore({ replace: "shpo" }),
    ]);
    other.child.kill("SIGCONT");
    expect(failureOf(second)).toContain("shop is being restored by seaworthy restore");
    expect(failureOf(mistaken)).toContain('replace is "shpo"');
    expect((await other.finished).exitCode).toBe(0);
    expect(databases()).toBe("shop");
  }, 20_000);

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "ended by %s leaves the database as it was, and nothing that the next run does not drop",
    async (signal) => {
      const inputs = { replace: "shop", "backup-before": "false", "keep-previous": "false" };
      const running = await startStep(RESTORE, {
        inputs: { ...common(), target: server.url("shop"), ...inputs },
      });
      await running.logged(/Restoring into/);
      running.child.kill(signal);
      await running.finished;
      expect(server.query("SELECT count(*) FROM app.lines", "shop")).toBe("100");
      if (signal === "SIGTERM") expect(databases()).toBe("shop");
      else expect((await restore(inputs)).exitCode).toBe(0);
      expect(databases()).toBe("shop");
    },
    20_000,
  );
});

describe("a restore in place", () => {
  it("that was killed says so, and is done again without the name typed", async () => {
    server.query("CREATE TABLE app.later (i int); CREATE TYPE public.mood AS ENUM ('a')", "shop");
    const inputs = { ...common(), target: server.url("shop"), method: "in-place" };
    const running = await startStep(RESTORE, { inputs: { ...inputs, replace: "shop" } });
    await running.logged(/Restoring into shop itself/);
    running.child.kill("SIGKILL");
    await running.finished;
    const comment =
      "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'shop'";
    expect(server.query(comment)).toContain("Seaworthy restores this database in place");
    const { exitCode, stdout, outputs } = await runStep(RESTORE, { inputs });
    expect(stdout).toContain("it is neither the former nor the restored database");
    expect([exitCode, outputs.cause]).toEqual([0, ""]);
    // That of the first run: the second found nothing that is worth one.
    expect(outputs["previous-backup"]).not.toBe("");
    expect(server.query(STATE, "shop")).toBe(WHOLE);
    expect(server.query(comment)).toBe("the shop");
    expect(server.query("SELECT to_regclass('app.later') IS NULL", "shop")).toBe("t");
  }, 25_000);
});

describe("a restore of tables", () => {
  it("replaces their contents in one transaction, keys, triggers and sequences as they were", async () => {
    const keys =
      "SELECT string_agg(conname || convalidated, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0";
    const before = server.query(keys, "shop");
    server.query(
      "DROP TABLE app.events; UPDATE app.customers SET name = 'kept' WHERE id = 1",
      "shop",
    );
    const step = await restore({ tables: "app.lines app.orders app.events", replace: "shop" });
    expect([step.exitCode, step.outputs.cause]).toEqual([0, ""]);
    expect(server.query(STATE, "shop")).toBe(WHOLE);
    expect(server.query("SELECT name FROM app.customers WHERE id = 1", "shop")).toBe("kept");
    expect(server.query(keys, "shop")).toBe(before);
    expect(server.query("SELECT tgenabled FROM pg_trigger WHERE tgname = 'touch'", "shop")).toBe(
      "O",
    );
    expect(server.query("SELECT nextval('app.orders_id_seq')", "shop")).toBe("3001");
    expect(databases()).toBe("shop");
  }, 20_000);

  it("changes nothing where other tables hold rows that belong to what is gone", async () => {
    server.query(
      "INSERT INTO app.customers (name) VALUES ('later'); INSERT INTO app.orders (customer) SELECT max(id) FROM app.customers",
      "shop",
    );
    const inputs = { replace: "shop", "backup-before": "false" };
    const refused = await restore({ ...inputs, tables: "app.customers" });
    expect(failureOf(refused)).toMatch(/violates foreign key.*nothing was changed/s);
    expect(server.query("SELECT count(*) FROM app.customers", "shop")).toBe("301");
    server.query("ALTER TABLE app.lines ADD more text, ALTER n TYPE bigint", "shop");
    const unlike = await restore({ ...inputs, tables: "app.lines" });
    expect(failureOf(unlike)).toContain(
      "app.lines: column n was integer and is bigint, the backup has no column more (text)",
    );
    const none = await restore({ ...inputs, tables: "app.Lines" });
    expect(failureOf(none)).toContain("There is app.lines");
    expect(databases()).toBe("shop");
  }, 25_000);
});
