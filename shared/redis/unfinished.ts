import { RedisRefusal, type RespConnection } from "./resp.ts";

/** The key that a database has while it is restored into. */
export const MARK = Buffer.from("seaworthy:restore-database:unfinished");

/** A restore that is not done. */
export interface Unfinished {
  /** When it began; ISO 8601. */
  readonly since: string;
  /** Whether the database is one beside, which nobody uses, or the real one. */
  readonly beside: boolean;
  /** The backup of what was there before. */
  readonly previousBackup: string | undefined;
}

/** Says of the database that is selected that a restore into it is not done. */
export async function mark(redis: RespConnection, unfinished: Unfinished): Promise<void> {
  await redis.ask("SET", MARK, JSON.stringify(unfinished));
}

/** What interrupted restores left, by the numbers of databases. */
export async function findUnfinished(
  redis: RespConnection,
  databases: Iterable<number>,
): Promise<ReadonlyMap<number, Unfinished>> {
  const found = new Map<number, Unfinished>();
  for (const database of databases) {
    await redis.ask("SELECT", String(database));
    const reply = await redis.ask("GET", MARK).catch((error: unknown) => {
      // Somebody's key of another type is no mark.
      if (error instanceof RedisRefusal && error.code === "WRONGTYPE") return null;
      throw error;
    });
    if (Buffer.isBuffer(reply)) found.set(database, readMark(reply.toString("utf8")));
  }
  return found;
}

/** Reads what a mark says; of one that somebody has edited, that it is one. */
export function readMark(text: string): Unfinished {
  try {
    const { since, beside, previousBackup } = JSON.parse(text) as Partial<Unfinished>;
    return {
      ...{ since: String(since), beside: beside === true },
      previousBackup: typeof previousBackup === "string" ? previousBackup : undefined,
    };
  } catch {
    return { since: "an unknown time", beside: false, previousBackup: undefined };
  }
}
