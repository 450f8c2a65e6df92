import type { RespConnection } from "../../../shared/redis/resp.ts";

type Command = readonly (string | Buffer)[];

/** Sizes on both sides of every threshold of encodings of Redis 5 to 8. */
const COUNTS = [1, 3, 40, 129, 600];

/** Numbers that are the same on every run. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Fills a server with every type of value, small and large, of texts, numbers and bytes, so that
 * every encoding it knows occurs; in several databases, with keys that expire and functions.
 */
export async function fillRichly(
  redis: RespConnection,
  options: { readonly seed?: number; readonly functions?: boolean; readonly now: number },
): Promise<void> {
  const random = numbers(options.seed ?? 1);
  for (const database of ["0", "3", "15"]) {
    await run(redis, [["SELECT", database], ...strings(random), ...collections(random)]);
    await run(redis, [...streams(), ...expiring(options.now)]);
  }
  if (options.functions ?? true) {
    const code = "#!lua name=parts\nredis.register_function('one', function() return 1 end)";
    await run(redis, [["FUNCTION", "LOAD", "REPLACE", code]]);
  }
  await run(redis, [["SELECT", "0"]]);
}

async function run(redis: RespConnection, commands: readonly Command[]): Promise<void> {
  const replies = await redis.all(commands);
  for (const reply of replies) if (reply instanceof Error) throw reply;
}

/** A text of the kind that a place in a value may hold. */
export function anyText(random: () => number, index: number): string | Buffer {
  const long = "all work and no play ".repeat(1 + Math.floor(random() * 60));
  const bytes = Buffer.from(Array.from({ length: 20 + (index % 200) }, () => random() * 256));
  const integers = [0, 12, -1, 127, -128, 4095, -4096, 32767, -32768, 8388607, 2147483647];
  const wide = ["2147483648", "-9223372036854775808", "9223372036854775807", "1e5", "007", "+1"];
  const choices = [
    `word-${index}`,
    long,
    bytes,
    String(integers[index % integers.length]),
    wide[index % wide.length] ?? "",
    "",
    `ünï-${index}`,
  ];
  return choices[Math.floor(random() * choices.length)] ?? "";
}

function strings(random: () => number): Command[] {
  const commands: Command[] = [
    ["SET", "text:large", "0123456789abcdef".repeat(20_000)],
    ["SET", "text:noise", Buffer.from(Array.from({ length: 70_000 }, () => random() * 256))],
    ["SET", "", "the empty key"],
    ["SET", Buffer.from([0, 255, 58, 13, 10]), Buffer.from([0, 1, 2])],
    ["SET", `${"long".repeat(30_000)}`, "a key longer than most values"],
    ["SETBIT", "bits", "100000", "1"],
    ["PFADD", "visitors", "a", "b", "c"],
  ];
  for (let index = 0; index < 300; index += 1) {
    commands.push(["SET", `text:${index}`, anyText(random, index)]);
  }
  return commands;
}

function collections(random: () => number): Command[] {
  const commands: Command[] = [];
  for (const count of COUNTS) {
    for (let index = 0; index < count; index += 1) {
      const any = anyText(random, index);
      commands.push(
        ["RPUSH", `list:${count}`, any],
        ["SADD", `set:${count}`, any],
        ["SADD", `numbers:${count}`, String(index * 7919 * (count > 100 ? 1_000_003 : 1))],
        ["SADD", `small-numbers:${count}`, String(index - 5)],
        ["ZADD", `ranking:${count}`, score(index, random), any],
        ["HSET", `card:${count}`, `field-${index}`, any],
      );
    }
    commands.push(["HSET", `wide:${count}`, "long", "x".repeat(70_000)]);
    commands.push(["RPUSH", `wide-list:${count}`, "a", "y".repeat(90_000), "b"]);
  }
  commands.push(["GEOADD", "places", "13.361389", "38.115556", "Palermo"]);
  return commands;
}

function score(index: number, random: () => number): string {
  const scores = ["0", "-0", "inf", "-inf", "0.1", "1e300", "3", "-17", String(random() * 1e6)];
  return scores[index % scores.length] ?? "0";
}

function streams(): Command[] {
  const commands: Command[] = [["XGROUP", "CREATE", "events:empty", "readers", "$", "MKSTREAM"]];
  for (let index = 1; index <= 350; index += 1) {
    const fields = index % 5 === 0 ? ["other", String(index), "b", ""] : ["a", `v${index}`];
    commands.push(["XADD", "events", `${1_700_000_000_000 + index * 7}-${index % 3}`, ...fields]);
  }
  for (let index = 10; index < 100; index += 9) {
    commands.push(["XDEL", "events", `${1_700_000_000_000 + index * 7}-${index % 3}`]);
  }
  commands.push(
    ["XGROUP", "CREATE", "events", "workers", "0"],
    ["XGROUP", "CREATE", "events", "idle", "$"],
    ["XREADGROUP", "GROUP", "workers", "anna", "COUNT", "30", "STREAMS", "events", ">"],
    ["XREADGROUP", "GROUP", "workers", "bert", "COUNT", "5", "STREAMS", "events", ">"],
    ["XACK", "events", "workers", "1700000000007-1"],
    ["XADD", "gone", "5-1", "a", "b"],
    ["XDEL", "gone", "5-1"],
  );
  return commands;
}

function expiring(now: number): Command[] {
  const commands: Command[] = [];
  for (let index = 0; index < 50; index += 1) {
    commands.push(["SET", `session:${index}`, `of user ${index}`]);
    commands.push(["PEXPIREAT", `session:${index}`, String(now + 3_600_000 + index)]);
  }
  commands.push(["PEXPIREAT", "list:3", String(now + 7_200_000)]);
  return commands;
}
