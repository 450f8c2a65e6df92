import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { UserError } from "../../../shared/failure/index.ts";
import { openRedis } from "../../../shared/redis/connect.ts";
import { type RedisSettings, redisSource } from "../../../shared/redis/index.ts";
import type { RespConnection } from "../../../shared/redis/resp.ts";
import { Kept } from "../../backups/kept.ts";
import { testWorld } from "../../backups/world.ts";
import { freePort } from "../../servers/free-port.ts";
import { RedisServer } from "../../servers/redis.ts";
import { resolveEndpoints } from "../../testbed/index.ts";

const world = testWorld();
let programs: string;
let server: RedisServer;
let redis: RespConnection;

beforeAll(async () => {
  ({ redis: programs } = await resolveEndpoints(["redis"]));
  server = await RedisServer.start(programs, [
    "enable-debug-command yes",
    "user guest on >guest-word +@all -psync -sync ~*",
    "user blind on >blind-word +ping +psync +sync +replconf",
    "user backup on >backup-word +ping +info +replconf +psync +sync",
  ]);
  redis = await connectTo(server);
  await redis.ask("SET", "a", "1");
  await redis.ask("SET", "b", "2");
}, 60_000);

afterAll(async () => {
  redis?.close();
  await server?.[Symbol.asyncDispose]();
});

async function connectTo(to: RedisServer, password?: string): Promise<RespConnection> {
  const address = { host: "", port: 0, socket: to.socket, tls: false, user: undefined, password };
  return await openRedis(address, {}, world.signal);
}

async function take(settings: RedisSettings): Promise<Kept> {
  return await Kept.of(redisSource(settings), world);
}

async function refusal(settings: RedisSettings): Promise<string> {
  const kept = new Kept();
  const error: UserError = await redisSource(settings)
    .capture(kept, world)
    .then(
      () => Promise.reject(new Error("it was taken")),
      (error: UserError) => error,
    );
  expect(error.remedy).toMatch(/\.$/);
  expect(kept.parts.size).toBe(0);
  return `${error.title}: ${error.cause} ${error.remedy}`;
}

describe("a server that cannot be backed up", () => {
  test("for want of a password, or with a wrong one", async () => {
    await using locked = await RedisServer.start(programs, ["requirepass right-word"]);
    expect(await refusal({ url: locked.url })).toContain("wants a password, and none was given");
    expect(await refusal({ url: locked.url, password: "wrong-word" })).toContain(
      "password is wrong",
    );
    expect((await take({ url: locked.url, password: "right-word" })).parts.size).toBe(1);
  });

  test("for want of permissions", async () => {
    const guest = { url: server.url, user: "guest", password: "guest-word" };
    expect(await refusal(guest)).toMatch(/NOPERM.*ACL SETUSER <user>/s);
    const blind = { url: server.url, user: "blind", password: "blind-word" };
    expect(await refusal(blind)).toMatch(/NOPERM.*command info/s);
    const enough = { url: server.url, user: "backup", password: "backup-word" };
    expect((await take(enough)).captured?.measures.keys).toBe(2);
  });

  test("because nobody is there, or somebody else", async () => {
    expect(await refusal({ url: "redis://127.0.0.1:1" })).toContain("ECONNREFUSED");
    expect(await refusal({ url: "unix:///nowhere/redis.sock" })).toContain("cannot be reached");
    expect(await refusal({ url: "redis://no-such-host.invalid" })).toContain(
      "Correct the host's name",
    );
    const port = await freePort();
    const { createServer } = await import("node:http");
    const web = createServer((_, response) => response.end("hello")).listen(port, "127.0.0.1");
    expect(await refusal({ url: `redis://127.0.0.1:${port}` })).toMatch(/speak Redis' protocol/);
    expect(await refusal({ url: `rediss://127.0.0.1:${port}` })).toMatch(/redis:\/\/ is without/);
    web.close();
  });

  test("because it is a managed one, which gives no snapshots", async () => {
    await using managed = await RedisServer.start(programs, [
      'rename-command PSYNC ""',
      'rename-command SYNC ""',
    ]);
    expect(await refusal({ url: managed.url })).toMatch(/ElastiCache.*verify-backup/s);
  });

  test("because it is a replica that has lost its master", async () => {
    await using replica = await RedisServer.start(programs, ["replicaof 127.0.0.1 1"]);
    expect(await refusal({ url: replica.url })).toContain("link to its master 127.0.0.1:1 is down");
  });

  test("because it is a Sentinel", async () => {
    const port = await freePort();
    await using sentinel = await RedisServer.start(programs, [], {
      sentinel: [`port ${port}`, "sentinel monitor cache 127.0.0.1 6390 1"],
    });
    expect(sentinel.pid).toBeGreaterThan(0);
    expect(await refusal({ url: `redis://127.0.0.1:${port}` })).toMatch(
      /Sentinel.*cache at 127.0.0.1:6390/s,
    );
  });

  test("because it dies in the middle", async () => {
    await using dying = await RedisServer.start(programs, ["rdb-key-save-delay 2000"]);
    const link = await connectTo(dying);
    const commands = Array.from({ length: 1500 }, (_, index) => [
      "SET",
      `k${index}`,
      "v".repeat(999),
    ]);
    await link.all(commands);
    const kept = new Kept();
    const capture = redisSource({ url: dying.url }).capture(kept, world);
    while (!/rdb_bgsave_in_progress:1/.test(await link.text("INFO", "persistence"))) {
      // The server answers as fast as it can.
    }
    await dying.stop();
    link.close();
    await expect(capture).rejects.toThrow(/was lost in the middle|no snapshot/);
    expect(kept.parts.size).toBe(0);
  });

  test("because the job is cancelled, at once", async () => {
    await using slow = await RedisServer.start(programs, ["rdb-key-save-delay 20000"]);
    const link = await connectTo(slow);
    await link.all(Array.from({ length: 900 }, (_, index) => ["SET", `k${index}`, "v"]));
    const stop = new AbortController();
    const kept = new Kept();
    const capture = redisSource({ url: slow.url }).capture(kept, testWorld(stop.signal));
    while (!/rdb_bgsave_in_progress:1/.test(await link.text("INFO", "persistence"))) {
      // The server answers as fast as it can.
    }
    const began = performance.now();
    stop.abort(new Error("cancelled"));
    await expect(capture).rejects.toThrow("cancelled");
    expect(performance.now() - began).toBeLessThan(2000);
    link.close();
  });
});

describe("a backup is taken", () => {
  test("while others write, and says what the server counted", async () => {
    let on = true;
    const writer = await connectTo(server);
    const writing = (async () => {
      for (let index = 0; on; index += 1) await writer.ask("SET", `w${index}`, "x");
    })();
    const kept = await take({ url: server.url });
    on = false;
    await writing;
    writer.close();
    expect(kept.captured?.measures.keys).toBeGreaterThan(1);
    await redis.ask("FLUSHDB");
    await redis.ask("SET", "a", "1");
    await redis.ask("SET", "b", "2");
  });

  test("through a file of the server's own, and says so", async () => {
    await using older = await RedisServer.start(programs, ["repl-diskless-sync no"]);
    const kept = await take({ url: older.url });
    expect(kept.captured?.notes.join()).toContain("wrote its own dump file");
  });

  test("of a replica that is up to date, and says so", async () => {
    const port = await freePort();
    await using master = await RedisServer.start(programs, [`port ${port}`]);
    const link = await connectTo(master);
    await link.ask("SET", "from", "the master");
    await using replica = await RedisServer.start(programs, [`replicaof 127.0.0.1 ${port}`]);
    const other = await connectTo(replica);
    while (!/master_link_status:up/.test(await other.text("INFO", "replication"))) {
      // The server answers as fast as it can.
    }
    const kept = await take({ url: replica.url });
    expect(kept.captured?.measures.keys).toBe(1);
    expect(kept.captured?.notes[0]).toContain(`taken from a replica of 127.0.0.1:${port}`);
    other.close();
    link.close();
  });

  test("of an empty server", async () => {
    await using empty = await RedisServer.start(programs);
    expect((await take({ url: empty.url })).captured?.measures).toMatchObject({ keys: 0 });
  });

  test("of every master of a cluster, and of no cluster that lacks slots", async () => {
    const ports = [await freePort(), await freePort()];
    const settings = (port: number) => [
      `port ${port}`,
      "cluster-enabled yes",
      `cluster-port ${port > 50_000 ? port - 20_000 : port + 10_000}`,
      "cluster-require-full-coverage no",
    ];
    await using first = await RedisServer.start(programs, settings(ports[0] ?? 0));
    await using second = await RedisServer.start(programs, settings(ports[1] ?? 0));
    const [a, b] = [await connectTo(first), await connectTo(second)];
    await a.ask("CLUSTER", "ADDSLOTSRANGE", "0", "8000");
    expect(await refusal({ url: `redis://127.0.0.1:${ports[0]}` })).toContain(
      "slots 8001 to 16383",
    );
    await b.ask("CLUSTER", "ADDSLOTSRANGE", "8001", "16383");
    const bus = (ports[1] ?? 0) > 50_000 ? (ports[1] ?? 0) - 20_000 : (ports[1] ?? 0) + 10_000;
    await a.ask("CLUSTER", "MEET", "127.0.0.1", String(ports[1]), String(bus));
    for (const node of [a, b]) {
      while (!/cluster_state:ok/.test(await node.text("CLUSTER", "INFO"))) {
        // Until they have found each other.
      }
    }
    for (let index = 0; index < 100; index += 1) {
      for (const node of [a, b]) await node.ask("SET", `key:${index}`, "value").catch(() => {});
    }
    const kept = await take({ url: `redis://127.0.0.1:${ports[0]}` });
    expect([...kept.parts.keys()].sort()).toEqual(["shard-0001.rdb", "shard-0002.rdb"]);
    expect(kept.captured?.measures.keys).toBe(100);
    a.close();
    b.close();
  });
});
