import { describe, UserError } from "../failure/index.ts";
import { Closed, NoRedis, RedisRefusal, type RespConnection } from "./resp.ts";

/** An RDB that a server has begun to send. */
export interface Snapshot {
  /** The replication's ID and the offset in it that the RDB shows; undefined for plain SYNC. */
  readonly position: { readonly id: string; readonly offset: number } | undefined;
  /** Bytes, where the server says so beforehand; it does when it wrote a file first. */
  readonly bytes: number | undefined;
  /** Ends with the RDB's last byte, and fails where the connection breaks before. */
  readonly content: AsyncIterable<Buffer>;
}

const MARKER_LENGTH = 40;
const UNKNOWN_COMMAND = /unknown command|not (allowed|supported)|disabled|unsupported/i;

/**
 * Asks a server for a snapshot as a replica does, and not for what comes after it. Returns when
 * the server has begun to send.
 *
 * Source: redis/redis, src/replication.c, "syncCommand", "replicaSendRDB"; src/redis-cli.c,
 * "sendSync".
 *
 * @throws {UserError} where the server refuses or cannot.
 */
export async function requestSnapshot(redis: RespConnection, subject: string): Promise<Snapshot> {
  try {
    // Servers before 7.0 know no rdb-only, and go on to send commands; nobody reads those.
    await redis.all([
      ["REPLCONF", "rdb-only", "1"],
      ["REPLCONF", "capa", "eof"],
    ]);
    redis.send(["PSYNC", "?", "-1"]);
    let answer = await signOfLife(redis);
    if (/^-(NOPERM|ERR unknown command)/.test(answer)) {
      const refused = answer.slice(1);
      redis.send(["SYNC"]);
      answer = await signOfLife(redis);
      if (answer.startsWith("-NOPERM")) throw new RedisRefusal(refused);
    }
    const [, id, offset] = /^\+FULLRESYNC (\w{40}) (-?\d+)/.exec(answer) ?? [];
    const position = id === undefined ? undefined : { id, offset: Number(offset) };
    const header = position === undefined ? answer : await signOfLife(redis);
    return { position, ...contentOf(header, redis) };
  } catch (error) {
    throw refused(error, subject);
  }
}

/** The next line that is not empty: servers send empty ones while they prepare. */
async function signOfLife(redis: RespConnection): Promise<string> {
  for (;;) {
    const line = (await redis.line("\n")).trim();
    if (line !== "") return line;
  }
}

function contentOf(header: string, redis: RespConnection): Pick<Snapshot, "bytes" | "content"> {
  if (header.startsWith("-")) throw new RedisRefusal(header.slice(1));
  const [, marker] = /^\$EOF:(\S{40})$/.exec(header) ?? [];
  if (marker !== undefined) {
    return { bytes: undefined, content: untilMarker(redis.rest(), Buffer.from(marker, "latin1")) };
  }
  const [, length] = /^\$(\d{1,15})$/.exec(header) ?? [];
  if (length === undefined) throw new NoRedis(header);
  return { bytes: Number(length), content: soMany(redis.rest(), Number(length)) };
}

async function* soMany(chunks: AsyncIterable<Buffer>, length: number): AsyncGenerator<Buffer> {
  let left = length;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, left);
    left -= part.length;
    yield part;
    if (left === 0) return;
  }
  if (left > 0) throw new Closed();
}

/** Of a transfer whose length nobody knows beforehand: the end is 40 random bytes said before. */
export async function* untilMarker(
  chunks: AsyncIterable<Buffer>,
  marker: Buffer,
): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    // It can only begin where the bytes before could not yet hold it whole.
    const end = bytes.indexOf(marker);
    if (end >= 0) {
      if (end > 0) yield bytes.subarray(0, end);
      return;
    }
    const kept = Math.min(bytes.length, MARKER_LENGTH - 1);
    held = bytes.subarray(bytes.length - kept);
    if (bytes.length > kept) yield bytes.subarray(0, bytes.length - kept);
  }
  throw new Closed();
}

function refused(error: unknown, subject: string): UserError {
  const title = `Redis at ${subject} gives no snapshot`;
  if (error instanceof UserError) return error;
  if (!(error instanceof RedisRefusal)) {
    const cause = `The connection broke before it began to send: ${describe(error)}.`;
    const remedy = "See the server's log for why, and run this again.";
    return new UserError({ title, cause, remedy }, { reason: error });
  }
  const { code, message } = error;
  const cause = `It says: ${message}`;
  if (code === "NOPERM") {
    const remedy =
      "Allow that user replication: ACL SETUSER <user> +ping +info +replconf +psync +sync. It needs no keys.";
    return new UserError({ title, cause, remedy });
  }
  if (code === "NOMASTERLINK") {
    const remedy = "It is a replica that has lost its master: mend that, or back the master up.";
    return new UserError({ title, cause, remedy });
  }
  if (/BGSAVE failed|MISCONF|fork/i.test(message)) {
    const remedy =
      "The server cannot write a snapshot: see its log. It lacks memory for a fork (vm.overcommit_memory), or disk where it writes a file first (repl-diskless-sync yes needs none).";
    return new UserError({ title, cause, remedy });
  }
  if (UNKNOWN_COMMAND.test(message)) {
    return new UserError({
      title,
      cause: `It does not allow replication, as managed services such as ElastiCache and MemoryDB do not. ${cause}`,
      remedy:
        "Let the service make its own backup, have it exported to a bucket, and prove that RDB by verify-backup; or replicate into a server of your own and back that one up.",
    });
  }
  return new UserError({
    title,
    cause,
    remedy: "See what the message says, and the server's log.",
  });
}
