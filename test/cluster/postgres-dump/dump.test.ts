import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { PostgresFingerprint } from "../../../shared/postgres-fingerprint/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { capturing, connectionsOf, Larder, SHOP } from "./larder.ts";

let programs: Readonly<Record<string, string>>;
let server: PostgresServer;
let folder: string;

beforeAll(async () => {
  programs = (await resolveEndpoints(["postgres"])).postgres ?? {};
  server = await PostgresServer.start(programs["15"] ?? "");
  shop(server);
  folder = mkdtempSync(join(tmpdir(), "seaworthy-larder-"));
}, 20_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function shop(of: PostgresServer): void {
  of.query("CREATE DATABASE shop");
  of.query(SHOP, "shop");
}

/** Restores what was kept, and gives the rows of a table. */
function restored(from: PostgresServer, larder: Larder, name: string): string {
  for (const [part, bytes] of larder.parts) {
    const file = join(folder, name, part);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  from.query(`CREATE DATABASE ${name}`);
  const dump = join(folder, name, larder.parts.has("dump.pgdump") ? "dump.pgdump" : "dump");
  if (larder.parts.has("dump.sql")) from.query(`${larder.parts.get("dump.sql")}`, name);
  else from.run("pg_restore", ["--exit-on-error", "-d", from.url(name), dump]);
  return from.query("SELECT count(*), max(at) FROM app.orders", name);
}

const EVERYTHING = "60000|2026-01-01 16:40:00+00";

describe("a dump", () => {
  it.each(["14", "15", "16", "17", "18"])(
    "of PostgreSQL %s restores as it was",
    async (major) => {
      await using own = await PostgresServer.start(programs[major] ?? "");
      shop(own);
      const { captured, larder, source } = capturing(own, { globals: true });
      const { fingerprint, source: facts, measures } = await captured;
      expect(source.subject).toContain("database shop of ");
      expect(facts).toMatchObject({ database: "shop", format: "custom" });
      expect(facts.pg_dump?.split(".")[0]).toBe(major);
      expect(measures.rows).toBe(60_504);
      expect(Object.keys((fingerprint as PostgresFingerprint).tables)).toHaveLength(6);
      expect(larder.parts.get("globals.sql")?.toString()).toContain("CREATE ROLE reader");
      expect(restored(own, larder, `restored${major}`)).toBe(EVERYTHING);
    },
    20_000,
  );

  it("as a directory is made by several at once, and leaves nothing behind", async () => {
    const { captured, larder, world } = capturing(server, { format: "directory", jobs: 2 });
    await captured;
    expect([...larder.parts.keys()][0]).toBe("dump/toc.dat");
    expect(restored(server, larder, "from_directory")).toBe(EVERYTHING);
    const temporary = readdirSync(world.environment.RUNNER_TEMP ?? tmpdir());
    expect(temporary.filter((name) => name.startsWith("seaworthy-dump-"))).toEqual([]);
  });

  it("as plain SQL holds what was chosen, and tells what was not", async () => {
    const { captured, larder } = capturing(server, {
      format: "plain",
      excludeTables: ["app.counted", "parent"],
      excludeTableData: ["Secret"],
    });
    const { excluded } = await captured;
    expect(excluded).toEqual([
      "table app.counted",
      "table app.parent",
      "table app.p1",
      "rows of app.secret",
    ]);
    const sql = larder.parts.get("dump.sql")?.toString();
    expect(sql).toContain("CREATE TABLE app.secret");
    expect(sql).not.toMatch(/app\.p1|COPY app\.secret/);
    expect(restored(server, larder, "from_plain")).toBe(EVERYTHING);
  });

  it("and its fingerprint show one moment, while others write", async () => {
    const larder = new Larder();
    const gate = Promise.withResolvers<void>();
    larder.gate = gate.promise;
    const { captured } = capturing(server, { tables: ["app.orders"] }, larder);
    await larder.begun.promise;
    server.query("INSERT INTO app.orders (who) VALUES ('later')", "shop");
    gate.resolve();
    const { fingerprint } = await captured;
    server.query("DELETE FROM app.orders WHERE who = 'later'", "shop");
    expect((fingerprint as PostgresFingerprint).tables["app.orders"]?.rows).toBe(60_000);
    server.query("CREATE DATABASE moment");
    server.query("CREATE SCHEMA app", "moment");
    const file = join(folder, "moment.pgdump");
    writeFileSync(file, larder.parts.get("dump.pgdump") ?? "");
    server.run("pg_restore", ["--exit-on-error", "-d", server.url("moment"), file]);
    expect(server.query("SELECT count(*), max(at) FROM app.orders", "moment")).toBe(EVERYTHING);
  });
});

describe("before anything is written", () => {
  it("all that cannot be read is told, with what would mend it", async () => {
    const { captured, larder } = capturing(server, {}, new Larder(), "reader");
    await expect(captured).rejects.toMatchObject({
      title: "The backup would not be whole",
      cause: expect.stringMatching(
        /schema app: role reader may not use it.*app\.orders.*orders_id_seq.*app\.secret.*row-level.*large object/,
      ),
      remedy: expect.stringMatching(
        /GRANT pg_read_all_data TO "reader";.*ALTER ROLE "reader" BYPASSRLS;.*lo_compat_privileges/,
      ),
    });
    expect(larder.parts.size).toBe(0);
  });

  it("and the remedies mend it", async () => {
    server.query(
      `GRANT pg_read_all_data TO "reader"; ALTER ROLE "reader" BYPASSRLS; ALTER ROLE "reader" SET lo_compat_privileges = on`,
    );
    const { captured, larder } = capturing(server, {}, new Larder(), "reader");
    const { measures } = await captured;
    server.query(
      `REVOKE pg_read_all_data FROM "reader"; ALTER ROLE "reader" NOBYPASSRLS; ALTER ROLE "reader" RESET ALL`,
    );
    expect(measures.rows).toBe(60_504);
    expect(restored(server, larder, "by_reader")).toBe(EVERYTHING);
  });

  it.each<[string, Parameters<typeof capturing>[1], RegExp]>([
    [
      "names that are not there",
      { tables: ["app.ordrs"] },
      /tables names app\.ordrs.*app\.orders\?/,
    ],
    ["a schema that is not there", { excludeSchemas: ["nope"] }, /exclude-schemas names nope/],
    ["arguments that break proof", { extraArguments: ["--data-only"] }, /--data-only: it leaves/],
    ["jobs without a directory", { jobs: 4 }, /custom format with one worker/],
    ["a folder without programs", { binaries: "/nonexistent" }, /not found in \/nonexistent/],
  ])("%s are refused", async (_, settings, words) => {
    const { captured, larder } = capturing(server, settings);
    await expect(captured).rejects.toThrow(words);
    expect(larder.parts.size).toBe(0);
  });

  it("clients older than the server are refused", async () => {
    const { captured } = capturing(server, { binaries: programs["14"] ?? "" });
    await expect(captured).rejects.toMatchObject({
      title: "No pg_dump for PostgreSQL 15",
      cause: expect.stringContaining("is 14."),
    });
  });

  it("a lock that lasts is told, with who holds it", async () => {
    const args = ["-d", server.url("shop"), "-c", "BEGIN; LOCK app.orders; SELECT pg_sleep(30)"];
    const holder = spawn(join(server.bin, "psql"), args, { stdio: "ignore" });
    const isLocked =
      "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'app.orders'::regclass";
    while (server.query(isLocked, "shop") === "0");
    const { captured } = capturing(server, { lockWaitSeconds: 2 });
    await expect(captured).rejects.toMatchObject({
      title: "A table is locked",
      cause: expect.stringMatching(/waited 2 s.*postgres \(psql\).*LOCK app\.orders/),
    });
    server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%LOCK app.orders%' AND pid <> pg_backend_pid()",
    );
    await once(holder, "exit");
  });
});

describe("in the middle of a dump", () => {
  /** Begins a dump, does something to it, and lets it go on. */
  async function interrupted(
    what: (dump: ReturnType<typeof capturing>) => void | Promise<void>,
    settings: Parameters<typeof capturing>[1] = {},
  ) {
    const larder = new Larder();
    const gate = Promise.withResolvers<void>();
    larder.gate = gate.promise;
    const dump = capturing(server, settings, larder);
    const end = expect(dump.captured).rejects;
    await larder.begun.promise;
    await what(dump);
    gate.resolve();
    return { end, ...dump };
  }

  it("a cancelled run ends its programs, connections and snapshot", async () => {
    const { end } = await interrupted(({ cancel }) => cancel(new Error("enough")));
    await end.toThrow("enough");
    expect(connectionsOf(server)).toBe(0);
  });

  it("a connection that is ended is told as that", async () => {
    const { end, larder } = await interrupted(() => {
      server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'seaworthy'",
      );
    });
    await end.toMatchObject({
      title: "The connection to PostgreSQL broke",
      cause: expect.stringContaining("terminating connection due to administrator command"),
    });
    expect(larder.parts.size).toBe(0);
  });

  it("a storage that fails ends it too, and its own error is the cause", async () => {
    const larder = new Larder();
    larder.gate = Promise.reject(new Error("the storage is full"));
    larder.gate.catch(() => {});
    await expect(capturing(server, {}, larder).captured).rejects.toThrow("the storage is full");
    expect(connectionsOf(server)).toBe(0);
  });

  it("a server that dies is told, and it can be backed up again when it is back", async () => {
    const { end } = await interrupted(() => server.stop("SIGQUIT"));
    await end.toMatchObject({
      title: expect.stringMatching(/connection to PostgreSQL broke|answers/),
    });
    await server.start();
    await expect(capturing(server).captured).resolves.toMatchObject({ excluded: [] });
  }, 20_000);
});
