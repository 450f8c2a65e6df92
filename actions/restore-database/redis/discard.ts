import type { RedisTarget, RespConnection } from "../../../shared/redis/index.ts";
import type { Means } from "../restored.ts";

/** Empties a database, whose memory the server gives back by and by. */
export async function clearDatabase(redis: RespConnection, database: number): Promise<void> {
  await redis.ask("SELECT", String(database));
  await redis.ask("FLUSHDB", "ASYNC");
}

/** Empties what is of no use, also after the job was cancelled; the next run would too. */
export async function discard(
  target: RedisTarget,
  databases: readonly number[],
  { world }: Means,
): Promise<void> {
  try {
    // A cancelled job's own connection is gone; there is time left to put things right.
    const until = world.signal.aborted ? world.aftermath : world.signal;
    const redis = await target.connect(until);
    try {
      for (const database of databases) await clearDatabase(redis, database);
    } finally {
      redis.close();
    }
  } catch (error) {
    world.log.warning(
      `Database ${databases.join(", ")} of ${target.words} could not be emptied and is of no use; the next run empties it: ${String(error)}`,
    );
  }
}
