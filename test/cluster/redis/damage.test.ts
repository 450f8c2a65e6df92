import { copyFile, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { openRedis } from "../../../shared/redis/connect.ts";
import { Crc64 } from "../../../shared/redis/crc64.ts";
import {
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
let whole: Buffer;
let options: RedisExamineOptions;

beforeAll(async () => {
  ({ redis: programs } = await resolveEndpoints(["redis"]));
  server = await RedisServer.start(programs);
  redis = await connectTo(server);
  await fillRichly(redis, { now: Date.now(), seed: 7 });
  kept = await Kept.of(redisSource({ url: server.url }), world);
  whole = part(kept);
  options = { tier: "integrity", programs, memory: 2 ** 31, timeLimit: 60_000 };
}, 60_000);

afterAll(async () => {
  redis?.close();
  await server?.[Symbol.asyncDispose]();
});

async function connectTo({ socket }: RedisServer): Promise<RespConnection> {
  const address = { host: "", port: 0, socket, tls: false, user: undefined, password: undefined };
  return await openRedis(address, {}, world.signal);
}

function part(of: Kept): Buffer {
  return of.parts.get("dump.rdb") ?? Buffer.alloc(0);
}

/** With a checksum that is right again. */
function summed(bytes: Buffer): Buffer {
  const sum = new Crc64();
  sum.update(bytes.subarray(0, -8));
  const end = Buffer.alloc(8);
  end.writeBigUInt64LE(sum.value);
  return Buffer.concat([bytes.subarray(0, -8), end]);
}

function flipped(at: number, bit = 1): Buffer {
  const copy = Buffer.from(whole);
  copy[at] = (copy[at] ?? 0) ^ bit;
  return copy;
}

function replaced(from: string | Buffer, to: string | Buffer): Buffer {
  const at = whole.indexOf(from);
  if (at < 0) throw new Error(`there is no ${String(from)} in it`);
  return Buffer.concat([whole.subarray(0, at), Buffer.from(to), whole.subarray(at + from.length)]);
}

function inserted(at: number, bytes: number[]): Buffer {
  return Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at)]);
}

/** After the facts, where the first database begins. */
function firstKey(): number {
  return whole.indexOf(Buffer.from([0xfe, 0x00, 0xfb]));
}

const HUGE = [0x81, 0x10, 0, 0, 0, 0, 0, 0, 0];
const damages: [name: string, damage: () => Buffer][] = [
  ["nothing left", () => Buffer.alloc(0)],
  ["one byte", () => whole.subarray(0, 1)],
  ["only the header", () => whole.subarray(0, 9)],
  ["cut in the facts", () => whole.subarray(0, 30)],
  ["cut in half", () => whole.subarray(0, whole.length / 2)],
  ["cut by a byte", () => whole.subarray(0, -1)],
  ["cut by the checksum", () => whole.subarray(0, -8)],
  ["cut by checksum and end", () => whole.subarray(0, -9)],
  ["something behind the end", () => Buffer.concat([whole, Buffer.from("more")])],
  ["the file twice", () => Buffer.concat([whole, whole])],
  ["a line break in front", () => Buffer.concat([Buffer.from("\n"), whole])],
  ["zeros all through", () => Buffer.alloc(whole.length)],
  ["text in place of it", () => Buffer.from("-NOAUTH Authentication required.\r\n")],
  ["an unknown version", () => summed(replaced("REDIS00", "REDIS99"))],
  ["a header of another", () => summed(replaced("REDIS", "RADIS"))],
  ["a flipped bit in the header", () => flipped(3)],
  ["a flipped bit in the middle", () => flipped(whole.length >> 1)],
  ["a flipped bit near the end", () => flipped(whole.length - 20)],
  ["a flipped bit in the checksum", () => flipped(whole.length - 3)],
  ["a flipped bit and the sum made right", () => summed(flipped(whole.length >> 1))],
  ["a value changed and the sum made right", () => summed(replaced("of user 7", "of user 8"))],
  ["a key renamed and the sum made right", () => summed(replaced("session:7", "sessiom:7"))],
  ["databases swapped, and the sum made right", () => swapped()],
  [
    "a database renumbered, and the sum made right",
    () => summed(replaced(Buffer.from([0xfe, 3, 0xfb]), Buffer.from([0xfe, 4, 0xfb]))),
  ],
  ["a database dropped, and the sum made right", () => dropped()],
  ["an expiry moved by a millisecond", () => moved()],
  ["an expiry dropped", () => withoutExpiry()],
  ["a length of 2^60", () => summed(inserted(firstKey() + 2, [0x00, ...HUGE]))],
  [
    "a packed text of 2^60",
    () => summed(inserted(firstKey() + 2, [0x00, 0x01, 65, 0xc3, 0x03, ...HUGE])),
  ],
  ["a list of 2^60 elements", () => summed(inserted(firstKey() + 2, [0x01, 0x01, 65, ...HUGE]))],
  ["a hash of 2^60 fields", () => summed(inserted(firstKey() + 2, [0x04, 0x01, 65, ...HUGE]))],
  [
    "a packed text that points back too far",
    () => summed(inserted(firstKey() + 2, [0x00, 0x01, 65, 0xc3, 0x03, 0x09, 0xff, 0xff, 0xff])),
  ],
  ["a length of an unknown form", () => summed(inserted(firstKey() + 2, [0x00, 0xbf]))],
  ["a text of an unknown encoding", () => summed(inserted(firstKey() + 2, [0x00, 0x01, 65, 0xcf]))],
  ["the functions changed", () => summed(replaced("return 1 end", "return 2 end"))],
  ["a page of zeros", () => zeroed(whole.length >> 1, 4096)],
  ["a page of another place", () => paged()],
  [
    "text mode: line ends of Windows",
    () => Buffer.from(whole.toString("latin1").replaceAll("\n", "\r\n"), "latin1"),
  ],
  ["text mode: as UTF-8", () => Buffer.from(whole.toString("utf8"), "utf8")],
];

function swapped(): Buffer {
  const copy = Buffer.from(whole);
  const [a, b] = [
    copy.indexOf(Buffer.from([0xfe, 3, 0xfb])),
    copy.indexOf(Buffer.from([0xfe, 15, 0xfb])),
  ];
  copy[a + 1] = 15;
  copy[b + 1] = 3;
  return summed(copy);
}

function dropped(): Buffer {
  const [a, b] = [
    whole.indexOf(Buffer.from([0xfe, 3, 0xfb])),
    whole.indexOf(Buffer.from([0xfe, 15, 0xfb])),
  ];
  return summed(Buffer.concat([whole.subarray(0, a), whole.subarray(b)]));
}

/** The place of the expiry of the first key of a session. */
function expiry(): number {
  return whole.lastIndexOf(0xfc, whole.indexOf("session:"));
}

function moved(): Buffer {
  const copy = Buffer.from(whole);
  copy[expiry() + 1] = ((copy[expiry() + 1] ?? 0) + 1) & 0xff;
  return summed(copy);
}

function withoutExpiry(): Buffer {
  return summed(Buffer.concat([whole.subarray(0, expiry()), whole.subarray(expiry() + 9)]));
}

function zeroed(at: number, length: number): Buffer {
  return Buffer.concat([whole.subarray(0, at), Buffer.alloc(length), whole.subarray(at + length)]);
}

function paged(): Buffer {
  const copy = Buffer.from(whole);
  copy.copy(copy, 8192, 65_536, 65_536 + 4096);
  return copy;
}

describe("damage", () => {
  test.each(damages)("is noticed: %s", async (_, damage) => {
    const { findings, reached } = await examineRedis(
      kept.opened({ "dump.rdb": damage() }),
      options,
      world,
    );
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]?.what).toMatch(/^[A-Z0-9].*\.$/s);
    expect(findings.every(({ tier }) => tier === "integrity")).toBe(true);
    expect(reached).toBe("integrity");
  });

  test("in any byte, with the sum made right, is seen where it changes anything", async () => {
    let unseen = 0;
    for (let at = 200; at < whole.length - 9; at += Math.floor(whole.length / 40)) {
      const bytes = summed(flipped(at, 1 << (at % 8)));
      const { findings } = await examineRedis(kept.opened({ "dump.rdb": bytes }), options, world);
      if (findings.length === 0) unseen += 1;
    }
    // A packed text that repeats itself can point to itself in several ways.
    expect(unseen).toBeLessThanOrEqual(2);
  }, 60_000);

  test("says which keys of which database are not what they were", async () => {
    const bytes = summed(replaced("of user 7", "of user 8"));
    const { findings, items } = await examineRedis(
      kept.opened({ "dump.rdb": bytes }),
      options,
      world,
    );
    expect(findings[0]?.subject).toBe("database 0");
    expect(findings[0]?.what).toContain("session:*");
    expect(items.map(({ same }) => same)).toEqual([false, true, true]);
  });

  test("says where two databases changed places", async () => {
    const { findings } = await examineRedis(kept.opened({ "dump.rdb": swapped() }), options, world);
    expect(findings.map(({ what }) => what).join("\n")).toContain(
      "It holds what was in database 15.",
    );
  });
});

/** What another server makes of the same data is no damage. */
const benign: [
  name: string,
  settings: string[],
  after: (link: RespConnection) => Promise<unknown>,
][] = [
  ["written again", [], async () => {}],
  ["without packing", ["rdbcompression no"], async () => {}],
  ["without a checksum", ["rdbchecksum no"], async () => {}],
  ["with idle times of keys", ["maxmemory-policy allkeys-lru"], async () => {}],
  ["with frequencies of keys", ["maxmemory-policy allkeys-lfu"], async () => {}],
  [
    "everything in tables",
    ["hash-max-listpack-entries 0", "zset-max-listpack-entries 0", "set-max-intset-entries 0"],
    async () => {},
  ],
  ["lists in small nodes", ["list-max-listpack-size 1"], async () => {}],
  ["lists packed in memory", ["list-compress-depth 1"], async () => {}],
  ["after it was read", [], async (link) => await link.ask("LRANGE", "list:600", "0", "-1")],
  ["loaded twice", ["enable-debug-command yes"], async (link) => await link.ask("DEBUG", "RELOAD")],
  ["with more databases", ["databases 64"], async () => {}],
];

describe("what another server makes of the same data", () => {
  test.each(benign)("is no damage: %s", async (_, settings, after) => {
    await using other = await RedisServer.start(programs, settings);
    await other.stop();
    await redis.ask("SAVE");
    await copyFile(server.rdb, other.rdb);
    await other.start();
    const link = await connectTo(other);
    await after(link);
    await link.ask("SAVE");
    link.close();
    const bytes = await readFile(other.rdb);
    const { findings } = await examineRedis(kept.opened({ "dump.rdb": bytes }), options, world);
    expect(findings).toEqual([]);
  });

  test("is no damage: keys that expired before the verification", async () => {
    await redis.ask("SELECT", "9");
    await redis.ask("SET", "short", "lived", "PX", "300");
    await redis.ask("SET", "long", "lived");
    const soon = await Kept.of(redisSource({ url: server.url }), world);
    await redis.ask("FLUSHDB");
    await redis.ask("SELECT", "0");
    // Time itself is the subject here.
    await delay(350);
    const result = await examineRedis(soon.opened(), { ...options, tier: "data" }, world);
    expect(result.findings).toEqual([]);
    expect(result.items.find(({ name }) => name === "database 9")).toMatchObject({ found: 2 });
  });
});
