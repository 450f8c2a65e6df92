import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { openRedis } from "../../../shared/redis/connect.ts";
import type { RespConnection } from "../../../shared/redis/resp.ts";
import { bundleOf, failureOf, runStep, type Step, startStep } from "../../runner/index.ts";
import { RedisServer } from "../../servers/redis.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { fillRichly } from "../redis/rich-data.ts";

const RESTORE = bundleOf("restore-database");
const FUNCTION = "#!lua name=other\nredis.register_function('two', function() return 2 end)";

let programs: string;
let folder: string;
let source: RedisServer;
let server: RedisServer;
let redis: RespConnection;

beforeAll(async () => {
  ({ redis: programs } = await resolveEndpoints(["redis"]));
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-redis-"));
  source = await RedisServer.start(programs, ["maxmemory-policy allkeys-lfu", "maxmemory 1gb"]);
  const link = await connectTo(source);
  await fillRichly(link, { now: Date.now() });
  await link.ask("SET", "huge", Buffer.alloc(9_000_000, "no two are alike, said the 1st; "));
  await link.ask("SET", "soon", "gone", "PX", "2000");
  await backUp({});
  link.close();
  server = await RedisServer.start(programs, ["maxmemory 1gb"]);
  redis = await connectTo(server);
}, 30_000);

afterAll(async () => {
  redis?.close();
  await server?.[Symbol.asyncDispose]();
  await source?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Each finds other keys, and functions of its own. */
beforeEach(async () => {
  await redis.ask("FLUSHALL");
  await redis.ask("FUNCTION", "LOAD", "REPLACE", FUNCTION);
  await redis.ask("SELECT", "0");
  await redis.ask("MSET", "old", "1", "card:3", "of the old");
  await redis.ask("SELECT", "7");
  await redis.ask("SET", "also", "old");
  await redis.ask("SELECT", "0");
});

async function connectTo({ socket }: RedisServer): Promise<RespConnection> {
  const address = { host: "", port: 0, socket, tls: false, user: undefined, password: undefined };
  return await openRedis(address, {}, new AbortController().signal);
}

async function backUp(inputs: Readonly<Record<string, string>>): Promise<void> {
  const all = { name: "cache", storage: folder, kind: "redis", source: source.url, ...inputs };
  const { exitCode, stdout } = await runStep(bundleOf("backup-database"), { inputs: all });
  if (exitCode !== 0) throw new Error(stdout);
}

function restoring(inputs: Readonly<Record<string, string>>) {
  return { inputs: { name: "cache", storage: folder, target: server.url, ...inputs } };
}

async function restore(inputs: Readonly<Record<string, string>>): Promise<Step> {
  return await runStep(RESTORE, restoring(inputs));
}

/** Keys by database, and the names of functions. */
async function state(): Promise<string> {
  const info = await redis.text("INFO", "keyspace");
  const keys = [...info.matchAll(/^(db\d+):keys=(\d+)/gm)].map(([, db, count]) => `${db} ${count}`);
  const functions = String(await redis.ask("FUNCTION", "LIST")).includes("two") ? "two" : "one";
  return [...keys, functions].join(", ");
}

const OLD = "db0 2, db7 1, two";
const NEW = "db0 402, db3 401, db15 401, one";

describe("a restore beside", () => {
  it("takes the place of all that was there, proven key by key", async () => {
    const { exitCode, outputs, stdout } = await restore({ replace: server.socket });
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("")]);
    expect(outputs.verdict).toBe("passed");
    expect(await state()).toBe(NEW);
    expect(outputs.target).toBe(`Redis at ${server.socket}`);
    expect(readdirSync(join(folder, "cache-before-restore"))).toContain(outputs["previous-backup"]);
    expect(Number(outputs["lost-seconds"])).toBeGreaterThan(0);
    expect(outputs.findings).toContain("1 key has expired since");
    expect(await redis.text("GET", "huge")).toHaveLength(9_000_000);
    expect(await redis.ask("PEXPIRETIME", "session:1")).toBeGreaterThan(Date.now());
  }, 20_000);
});
