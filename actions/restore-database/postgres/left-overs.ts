import { quoteIdentifier, quoteLiteral, type Session } from "../../../shared/postgres/index.ts";

/** What a comment of a database that is being restored begins with. */
const MARK = "Seaworthy restores into this database";

/** Says of a database that it is a restore that is not done, and when it began. */
export async function markAsUnfinished(session: Session, database: string, now: number) {
  const words = `${MARK} since ${new Date(now).toISOString()}. It is dropped when that is interrupted.`;
  await session.run(`COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(words)}`);
}

/** Takes the mark away again. */
export async function markAsDone(session: Session, database: string) {
  await session.run(`COMMENT ON DATABASE ${quoteIdentifier(database)} IS NULL`);
}

/**
 * Drops what an interrupted restore of the same database left: marked as such, and nobody works in
 * it.
 *
 * @param prefix what the names of restores of this database begin with.
 * @returns the names of what was dropped.
 */
export async function dropLeftOvers(session: Session, prefix: string): Promise<readonly string[]> {
  const found = await session.query<{ readonly name: string }>(
    `SELECT datname AS name FROM pg_database d
      WHERE starts_with(datname, ${quoteLiteral(prefix)})
        AND starts_with(coalesce(shobj_description(oid, 'pg_database'), ''), ${quoteLiteral(MARK)})
        AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
      ORDER BY datname`,
  );
  for (const { name } of found) await dropDatabase(session, name);
  return found.map(({ name }) => name);
}

/** Drops a database, and sends away who is connected to it. */
export async function dropDatabase(session: Session, database: string): Promise<void> {
  await session.run(`DROP DATABASE IF EXISTS ${quoteIdentifier(database)} WITH (FORCE)`);
}
