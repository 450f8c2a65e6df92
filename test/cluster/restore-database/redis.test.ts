import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { openRedis } from "../../../shared/redis/connect.ts";
import type { RespConnection } from "../../../shared/redis/resp.ts";
import {
  bundleOf,
  failureOf,
  runStep,
  type Step,
  snapshot,
  startStep,
} from "../../runner/index.ts";
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
/** Keys in the backup. */
let backedUp: number;

beforeAll(async () => {
  ({ redis: programs } = await resolveEndpoints(["redis"]));
  folder = mkdtempSync(join(tmpdir(), "seaworthy-restore-redis-"));
  source = await RedisServer.start(programs, ["maxmemory-policy allkeys-lfu", "maxmemory 1gb"]);
  const link = await connectTo(source);
  await fillRichly(link, { now: Date.now() });
  await link.ask("SET", "huge", Buffer.alloc(9_000_000, "no two are alike, said the 1st; "));
  await link.ask("SET", "soon", "gone", "PX", "3000");
  backedUp = await backUp();
  while ((await link.ask("EXISTS", "soon")) === 1) await delay(50);
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
  await redis.ask("FUNCTION", "FLUSH");
  await redis.ask("FUNCTION", "LOAD", FUNCTION);
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

async function backUp(): Promise<number> {
  const inputs = { name: "cache", storage: folder, kind: "redis", source: source.url };
  const { exitCode, stdout, outputs } = await runStep(bundleOf("backup-database"), { inputs });
  if (exitCode !== 0) throw new Error(stdout);
  return (JSON.parse(outputs.measures ?? "{}") as { keys: number }).keys;
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
    const { exitCode, outputs } = await restore({ replace: server.socket });
    expect([exitCode, outputs.verdict]).toEqual([0, "passed"]);
    expect(await state()).toBe(NEW);
    expect(outputs.target).toBe(`Redis at ${server.socket}`);
    expect(readdirSync(join(folder, "cache-before-restore"))).toContain(outputs["previous-backup"]);
    expect(Number(outputs["lost-seconds"])).toBeGreaterThan(0);
    // On a machine as slow as can be, it was gone before the backup.
    if (backedUp === 1_205) expect(outputs.findings).toContain("1 key has expired since");
    expect(await redis.text("GET", "huge")).toHaveLength(9_000_000);
    expect(await redis.ask("PEXPIRETIME", "session:1")).toBeGreaterThan(Date.now());
    expect(await redis.ask("FCALL", "one", "0")).toBe(1);
  }, 20_000);

  it("restores one database, and leaves the others and the functions alone", async () => {
    const url = { database: "3", replace: `${server.socket}/3` };
    const { exitCode, outputs, stdout } = await restore(url);
    expect([exitCode, outputs.verdict]).toEqual([0, "passed"]);
    expect(await state()).toBe("db0 2, db3 401, db7 1, two");
    expect(stdout).toContain("keys in database 0, 15 too");
  }, 20_000);

  it("leaves alone what is not empty, as its README quotes, and a name that was typed wrong", async () => {
    const [plain, mistaken] = await Promise.all([
      restore({}),
      restore({ replace: "elsewhere:6379" }),
    ]);
    expect([plain.exitCode, mistaken.exitCode]).toEqual([1, 1]);
    const said = failureOf(plain).replaceAll(server.socket, "cache.example:6379");
    const { said: now, kept } = snapshot("restore-database-redis", said);
    expect(now).toBe(kept);
    expect(failureOf(mistaken)).toContain('replace is "elsewhere:6379"');
    expect(await state()).toBe(OLD);
  }, 20_000);

  it.each(["SIGTERM", "SIGKILL"] as const)(
    "ended by %s leaves the keys as they were, and nothing that the next run does not empty",
    async (signal) => {
      const inputs = { replace: server.socket, "backup-before": "false" };
      const running = await startStep(RESTORE, restoring(inputs));
      await running.logged(/Restoring into database/);
      running.child.kill("SIGSTOP");
      expect(failureOf(await restore(inputs))).toMatch(/Another restore.*restored by seaworthy/s);
      running.child.kill(signal);
      running.child.kill("SIGCONT");
      await running.finished;
      if (signal === "SIGTERM") expect(await state()).toBe(OLD);
      expect(await redis.ask("MGET", "old", "card:3")).toEqual([
        Buffer.from("1"),
        Buffer.from("of the old"),
      ]);
      expect((await restore(inputs)).exitCode).toBe(0);
      expect(await state()).toBe(NEW);
    },
    30_000,
  );
});

describe("a server that cannot take it", () => {
  it("for want of rights, or because it dies, is told so, and has what it had", async () => {
    await redis.ask("ACL", "SETUSER", "weak", "on", ">word", "~*", "+@all", "-restore");
    const weak = { user: "weak", password: "word", replace: server.socket };
    const step = await restore({ ...weak, "backup-before": "false" });
    expect(failureOf(step)).toMatch(/may not restore.*NOPERM.*ACL SETUSER/s);
    expect(await state()).toBe(OLD);
    await using dying = await RedisServer.start(programs);
    const running = await startStep(RESTORE, restoring({ target: dying.url }));
    await running.logged(/Restoring into database/);
    await dying.stop();
    expect(failureOf(await running.finished)).toMatch(/lost in the middle|cannot be reached/);
  }, 30_000);

  it("for want of memory is told so before anything is sent, and in the middle", async () => {
    await redis.ask("CONFIG", "SET", "maxmemory", "12mb");
    const before = await restore({ replace: server.socket });
    expect(failureOf(before)).toMatch(/too little memory.*maxmemory is.*method: in-place/s);
    await redis.ask("CONFIG", "SET", "maxmemory", "0");
    expect(await state()).toBe(OLD);
    const running = await startStep(
      RESTORE,
      restoring({ replace: server.socket, "backup-before": "false" }),
    );
    await running.logged(/Restoring into database/);
    await redis.ask("CONFIG", "SET", "maxmemory", "2mb");
    const step = await running.finished;
    await redis.ask("CONFIG", "SET", "maxmemory", "0");
    if (step.exitCode !== 0) {
      expect(failureOf(step)).toMatch(/ran out of memory.*OOM/s);
      expect(await state()).toBe(OLD);
    }
  }, 30_000);
});

describe("a restore in place", () => {
  it("removes what is there first, for servers with one database, and can be run again", async () => {
    await using small = await RedisServer.start(programs, [
      "databases 16",
      'rename-command SWAPDB ""',
    ]);
    const link = await connectTo(small);
    await link.ask("SET", "old", "1");
    const to = { target: small.url, replace: small.socket };
    expect(failureOf(await restore(to))).toMatch(/cannot change places.*method: in-place/s);
    expect(await link.text("GET", "old")).toBe("1");
    const running = await startStep(RESTORE, restoring({ ...to, method: "in-place" }));
    await running.logged(/Restoring into Redis/);
    running.child.kill("SIGKILL");
    await running.finished;
    const again = await restore({ target: small.url, method: "in-place" });
    expect([again.exitCode, again.outputs.verdict]).toEqual([0, "passed"]);
    expect(again.stdout).toContain("was interrupted");
    expect(again.outputs["previous-backup"]).toMatch(/^\d{8}T/);
    expect(await link.ask("DBSIZE")).toBe(402);
    expect(await link.ask("KEYS", "seaworthy*")).toEqual([]);
    link.close();
  }, 30_000);
});
