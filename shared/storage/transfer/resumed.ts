import { codeOf, describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";

/** Breaks in a row, without a single byte in between. */
const MOST_BREAKS = 5;

/** Bytes that come by a connection that may break. */
interface Reading {
  readonly name: string;
  readonly place: string;
  readonly first: AsyncIterable<Buffer> | undefined;
  readonly from: number;
  readonly end: number;
  /** A connection that goes on at this place. */
  readonly reopen: (at: number) => Promise<AsyncIterable<Buffer> | undefined>;
  readonly signal: AbortSignal;
  readonly world: Pick<World, "clock" | "log">;
}

/**
 * The bytes from one place to another, by as many connections as it takes.
 *
 * @throws {UserError} when it breaks again and again and nothing comes in between.
 */
export async function* resumed(reading: Reading): AsyncGenerator<Buffer> {
  const { name, end, reopen, signal, world } = reading;
  let stream = reading.first;
  let at = reading.from;
  for (let breaks = 0; at < end; ) {
    signal.throwIfAborted();
    const before = at;
    const problem = yield* pieces(stream, end - at, (bytes) => {
      at += bytes;
    });
    if (at === end) return;
    breaks = at > before ? 1 : breaks + 1;
    signal.throwIfAborted();
    if (breaks > MOST_BREAKS) throw broken(reading, at, problem);
    world.log.debug(`Reading ${name} broke at ${at} of ${end} bytes: ${describe(problem)}`);
    await world.clock.sleep(200 * 2 ** breaks, signal);
    stream = await reopen(at);
  }
}

/** Gives what comes; what stopped it is returned, and not thrown. */
async function* pieces(
  stream: AsyncIterable<Buffer> | undefined,
  most: number,
  took: (bytes: number) => void,
): AsyncGenerator<Buffer, unknown> {
  let left = most;
  try {
    for await (const piece of stream ?? []) {
      if (piece.length > left) return new Error("more came than there is");
      left -= piece.length;
      took(piece.length);
      yield piece;
      // What is behind is nobody's.
      if (left === 0) return undefined;
    }
    return new Error("the connection ended too early");
  } catch (error) {
    return error;
  }
}

function broken({ name, place, end }: Reading, at: number, problem: unknown): UserError {
  return new UserError(
    {
      title: "Reading from the storage breaks off",
      cause: `${name} in ${place}: ${at} of ${end} bytes came, then nothing more in ${MOST_BREAKS} tries: ${describe(problem)} (${codeOf(problem) ?? "no code"}).`,
      remedy: "Look at the connection and the server, and run again.",
    },
    { reason: problem },
  );
}
