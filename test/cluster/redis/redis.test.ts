import { createReadStream } from "node:fs";
import { copyFile, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openRedis } from "../../../shared/redis/connect.ts";
import { fingerprintRdb } from "../../../shared/redis/fingerprint.ts";
import {
  examineRdb,
  examineRedis,
  type RedisExamineOptions,
  redisSource,
} from "../../../shared/redis/index.ts";
import type { RespConnection } from "../../../shared/redis/resp.ts";
import { Kept } from "../../backups/kept.ts";
import { testWorld } from "../../backups/world.ts";
import { RedisServer } from "../../servers/redis.ts";
import { resolveEndpoints } from "../../testbed/index.ts";
import { fillRichly } from "./rich-data.ts";

const world = testWorld();
let programs: string;
let server: RedisServer;
let redis: RespConnection;
let kept: Kept;
let options: RedisExamineOptions;

beforeAll(async () => {
  ({ redis: programs } = await resolveEndpoints(["redis"]));
  server = await RedisServer.start(programs);
  redis = await connectTo(server);
  await fillRichly(redis, { now: Date.now() });
  kept = await Kept.of(redisSource({ url: server.url }), world);
  options = { tier: "data", programs, memory: 2 ** 31, timeLimit: 60_000 };
}, 60_000);

afterAll(async () => {
  redis?.close();
  await server?.[Symbol.asyncDispose]();
});

async function connectTo(
  { socket }: RedisServer,
  user?: string,
  password?: string,
): Promise<RespConnection> {
  return await openRedis(
    { host: "", port: 0, socket, tls: false, user, password },
    {},
    world.signal,
  );
}

describe("a backup of a server with every type of value", () => {
  test("is taken without a trace on the server", async () => {
    expect(kept.captured?.measures).toMatchObject({ keys: 1203, databases: 3 });
    expect(kept.captured?.notes).toEqual([]);
    expect(await readdir(server.folder)).not.toContain("dump.rdb");
  });

  test("is proven by loading it into a server of its own", async () => {
    const queries = [
      { name: "names", command: ["HLEN", "card:600"], expect: { equals: "600" } },
      { name: "events", command: ["XLEN", "events"], expect: { min: 300, max: 350 } },
    ];
    const result = await examineRedis(kept.opened(), { ...options, tier: "full", queries }, world);
    expect(result.findings).toEqual([]);
    expect(result.reached).toBe("full");
    expect(result.items).toHaveLength(3);
    expect(result.items.every(({ same }) => same)).toBe(true);
    expect(result.restoreSeconds).toBeGreaterThan(0);
    expect(
      (await readdir(tmpdir())).filter((name) => name.startsWith("seaworthy-redis-2")),
    ).toEqual([]);
  });

  test.each([
    [
      [
        "hash-max-listpack-entries 0",
        "set-max-intset-entries 0",
        "zset-max-listpack-entries 0",
        "list-max-listpack-size 2",
        "stream-node-max-entries 3",
        "rdbcompression no",
      ],
    ],
    [
      [
        "hash-max-listpack-entries 5000",
        "hash-max-listpack-value 90000",
        "set-max-intset-entries 9999",
        "zset-max-listpack-entries 9999",
        "zset-max-listpack-value 5000",
        "list-max-listpack-size -5",
        "list-compress-depth 1",
      ],
    ],
  ])("has the same hash when a server writes it in other encodings: %j", async (thresholds) => {
    await using other = await RedisServer.start(programs, thresholds);
    await other.stop();
    await redis.ask("SAVE");
    await copyFile(server.rdb, other.rdb);
    await other.start();
    const link = await connectTo(other);
    await link.ask("SAVE");
    link.close();
    const before = await fingerprintRdb(createReadStream(server.rdb));
    const after = await fingerprintRdb(createReadStream(other.rdb));
    expect((await readFile(other.rdb)).equals(await readFile(server.rdb))).toBe(false);
    expect(after.fingerprint).toEqual(before.fingerprint);
  });

  test("reads an RDB that others made, and says what cannot be known of it", async () => {
    const file = { name: "dump.rdb", open: async () => createReadStream(server.rdb) };
    const result = await examineRdb(file, { ...options, leastKeys: 2000 }, world);
    expect(result.findings.map(({ what }) => what)).toEqual([
      "It holds 1203 keys, and at least 2000 are expected.",
    ]);
    expect(result.unknown[0]).toContain("There is no fingerprint");
  });
});

describe("where only docker is", () => {
  test("the server runs in a container, or it is said that nobody could load it", async () => {
    const { dockerHost, images } = await resolveEndpoints(["redis-image", "docker"]);
    process.env.DOCKER_HOST = dockerHost;
    const image = images["redis-image"] ?? "";
    const contained = { ...options, server: "docker" as const, image };
    const result = await examineRedis(kept.opened(), contained, world);
    expect(result.findings).toEqual([]);
    expect(result.circumstances?.server).toContain(image);
    expect(result.reached).toBe("data");
    const none = await examineRedis(
      kept.opened(),
      { ...options, server: "local", programs: "/none" },
      world,
    );
    expect(none.reached).toBe("integrity");
    expect(none.unknown.join()).toContain("neither redis-server nor valkey-server");
  }, 60_000);
});
