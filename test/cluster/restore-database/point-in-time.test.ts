import { chownSync, mkdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { bundleOf, failureOf, runStep, type Step } from "../../runner/index.ts";
import { PostgresServer } from "../../servers/postgres.ts";
import { ArchivedSource } from "../postgres-archive/archived-source.ts";

const NOBODY = 65_534;
const RESTORE = bundleOf("restore-database");

let source: ArchivedSource;
let target: PostgresServer;

beforeAll(async () => {
  source = await ArchivedSource.open("16", ["--wal-segsize=1"]);
  target = await PostgresServer.start(source.server.bin);
}, 60_000);
afterAll(async () => {
  await source?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
});

beforeEach(() => {
  target.query("CREATE DATABASE shop");
  target.query("CREATE TABLE steps (id int); INSERT INTO steps VALUES (99)", "shop");
});
afterEach(() => {
  for (const name of databases().split(" ")) target.query(`DROP DATABASE "${name}"`);
});

function databases(): string {
  return target.query(
    "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname ~ 'shop'",
  );
}

async function restore(inputs: Readonly<Record<string, string>>): Promise<Step> {
  return await runStep(RESTORE, {
    inputs: {
      ...{ storage: source.folder, pattern: "tar", wal: "wal", "postgres-bin": target.bin },
      ...{ target: target.url("shop"), "backup-before": "false", ...inputs },
    },
  });
}

function steps(database = "shop"): string {
  return target.query("SELECT count(*), max(id) FROM steps", database);
}

describe("a moment out of a base backup and its WAL", () => {
  it("is restored beside and takes the database's place, nothing later with it", async () => {
    const step = await restore({ "point-in-time": source.moment, replace: "shop" });
    expect([step.exitCode, step.outputs.cause]).toEqual([0, ""]);
    expect(steps()).toBe("5002|2");
    expect(steps(step.outputs["previous-database"])).toBe("1|99");
    const lost = (Date.now() - Date.parse(source.moment)) / 1_000;
    expect(Math.abs(Number(step.outputs["lost-seconds"]) - lost)).toBeLessThan(5);
  }, 60_000);

  it("goes over damage that lies behind it, and tells how far it could be come otherwise", async () => {
    const last = source.segments.at(-1) ?? "";
    truncateSync(join(source.copy("wal", "torn"), last), 9_000);
    const inputs = { wal: "torn", replace: "shop", "keep-previous": "false" };
    const step = await restore({ ...inputs, "point-in-time": source.moment, method: "in-place" });
    expect([step.exitCode, step.outputs.cause]).toEqual([0, ""]);
    expect(steps()).toBe("5002|2");
    const latest = await restore(inputs);
    expect(failureOf(latest)).toContain(last);
    const reachable = /point-in-time: ([^`]+)/.exec(failureOf(latest))?.[1] ?? "";
    const up = await restore({ ...inputs, "point-in-time": reachable, tables: "public.steps" });
    expect([up.exitCode, up.outputs.cause]).toEqual([0, ""]);
    expect(steps()).toBe("5004|4");
    expect(databases()).toBe("shop");
  }, 60_000);

  it.each([
    [{ "point-in-time": "2020-01-01T00:00:00Z" }, "It is before the end of the base backup"],
    [{ "source-database": "shopp" }, "shopp is none of the databases of the cluster"],
    [{ replace: "" }, "The target is not empty"],
  ])(
    "%j is refused, and the target not touched",
    async (inputs, words) => {
      const given = { "point-in-time": source.moment, replace: "shop" };
      const step = await restore({ ...given, ...inputs });
      expect(failureOf(step)).toContain(words);
      expect([steps(), databases()]).toEqual(["1|99", "shop"]);
    },
    30_000,
  );

  it("is a whole cluster in a folder, which another server is started on", async () => {
    const path = join(source.folder, "cluster");
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, NOBODY, NOBODY);
    const inputs = { target: "", pattern: "streamed", "target-folder": path };
    const moved = { ...inputs, "point-in-time": source.moment, "backup-before": "" };
    const step = await restore(moved);
    expect([step.exitCode, step.outputs.cause]).toEqual([0, ""]);
    await using server = await PostgresServer.start(source.server.bin, { data: path });
    expect(server.query("SELECT count(*), max(id) FROM steps", "shop")).toBe("5002|2");
    expect(server.query("SHOW archive_mode")).toBe("on");
    expect(failureOf(await restore(moved))).toContain("The target is not empty");
  }, 60_000);
});
