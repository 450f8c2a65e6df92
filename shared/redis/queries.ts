import type { Finding } from "../proof/index.ts";
import { RedisRefusal, type Reply, type RespConnection } from "./resp.ts";

/** A command to ask a restored server, and what it must answer. */
export interface RedisQuery {
  readonly name: string;
  /** A command that reads, and its arguments: `["HGET", "card:17", "owner"]`. */
  readonly command: readonly string[];
  readonly database?: number | undefined;
  readonly expect: RedisExpectation;
}

/** All that is given must hold. An answer of several values is their list, one a line. */
export interface RedisExpectation {
  readonly equals?: string | undefined;
  /** For answers that are a number, and for the count of lists. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly matches?: RegExp | undefined;
}

/** Commands that only read, though servers do not say so of them. */
const READING = new Set(["object", "xinfo", "memory", "ping", "time"]);

/** Asks the restored server all queries, and tells which are not answered as expected. */
export async function askQueries(
  redis: RespConnection,
  queries: readonly RedisQuery[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const query of queries) {
    const what = await judge(redis, query);
    if (what === undefined) continue;
    findings.push({
      detector: "query",
      tier: "full",
      weight: "damage",
      subject: `query ${query.name}`,
      what,
    });
  }
  return findings;
}

async function judge(redis: RespConnection, query: RedisQuery): Promise<string | undefined> {
  const [name = ""] = query.command;
  if (!(await onlyReads(redis, name))) {
    return `It was not asked: ${name} is no command that only reads.`;
  }
  try {
    await redis.ask("SELECT", String(query.database ?? 0));
    const reply = await redis.ask(...query.command);
    return mismatch(reply, query.expect);
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error;
    return `The server refused it: ${error.message}`;
  }
}

async function onlyReads(redis: RespConnection, name: string): Promise<boolean> {
  if (READING.has(name.toLowerCase())) return true;
  const reply = await redis.ask("COMMAND", "INFO", name);
  const [command] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  const flags = Array.isArray(command) ? (command as readonly Reply[])[2] : undefined;
  return Array.isArray(flags) && (flags as readonly Reply[]).map(String).includes("readonly");
}

/** Why an answer is not as expected, as a sentence. */
export function mismatch(reply: Reply, expect: RedisExpectation): string | undefined {
  const found = linesOf(reply);
  const shown = found.join("\n").slice(0, 200);
  const { equals, min, max, matches } = expect;
  if (equals !== undefined && found.join("\n") !== equals) {
    return `It should answer ${equals.slice(0, 200)}, and answers ${shown || "nothing"}.`;
  }
  const number = Array.isArray(reply) ? reply.length : Number(found[0] ?? Number.NaN);
  if (min !== undefined && !(number >= min)) {
    return `It should answer ${min} or more, and answers ${shown || "nothing"}.`;
  }
  if (max !== undefined && !(number <= max)) {
    return `It should answer ${max} or less, and answers ${shown || "nothing"}.`;
  }
  if (matches !== undefined && !matches.test(found.join("\n"))) {
    return `It should answer something like ${matches.source}, and answers ${shown || "nothing"}.`;
  }
  return undefined;
}

function linesOf(reply: Reply): string[] {
  if (reply === null) return [];
  if (Array.isArray(reply)) return (reply as readonly Reply[]).flatMap(linesOf);
  return [Buffer.isBuffer(reply) ? reply.toString("utf8") : String(reply)];
}
