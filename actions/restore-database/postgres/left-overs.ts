import { quoteIdentifier, quoteLiteral, type Session } from "../../../shared/postgres/index.ts";

/** What a comment of a database that is being restored begins with. */
const MARK = "Seaworthy restores into this database";

/** Says of a database that it is a restore that is not done, and when it began. */
export async function markAsUnfinished(session: Session, database: string, now: number) {
  const words = `${MARK} since ${new Date(now).toISOString()}. It is dropped when that is interrupted.`;
  await session.run(commentOn(database, words));
}

/** The statement that gives a database another comment in the mark's place. */
export function commentOn(database: string, comment: string | null): string {
  const words = comment === null ? "NULL" : quoteLiteral(comment);
  return `COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${words}`;
}

/**
 * Drops what an interrupted restore of the same database left: marked as such. Whoever calls this has
 * the lease on the real one, so nobody works in it who knows of it.
 *
 * @param prefix what the names of restores of this database begin with.
 * @returns the names of what was dropped.
 */
export async function dropLeftOvers(session: Session, prefix: string): Promise<readonly string[]> {
  const found = await session.query<{ readonly name: string }>(
    `SELECT datname AS name FROM pg_database d
      WHERE starts_with(datname, ${quoteLiteral(prefix)})
        AND starts_with(coalesce(shobj_description(oid, 'pg_database'), ''), ${quoteLiteral(MARK)})
      ORDER BY datname`,
  );
  for (const { name } of found) await dropDatabase(session, name);
  return found.map(({ name }) => name);
}

/** Drops a database, and sends away who is connected to it. */
export async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.run(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`);
}
