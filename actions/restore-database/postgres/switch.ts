import { UserError } from "../../../shared/failure/index.ts";
import {
  quoteIdentifier,
  quoteLiteral,
  type Session,
  SqlFailed,
} from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";

/** PostgreSQL cuts longer names, and two that are cut alike are the same. */
const LONGEST_NAME = 63;
/** Clients that come back at once are sent away again and again until the names have changed. */
const TRIES = 5;

/** The name under which a restore is made, or a former database kept, beside the real one. */
export function nameBeside(database: string, what: "restoring" | "before", id: string): string {
  const tail = `_${what}_${id.replace(/[^0-9a-zA-Z]/g, "").toLowerCase()}`;
  let head = database;
  while (Buffer.byteLength(`${head}${tail}`) > LONGEST_NAME) head = head.slice(0, -1);
  return `${head}${tail}`;
}

/**
 * Lets a restored database take the name of the real one, which gets another; both or neither. Until
 * then nobody may connect to the real one, and who is connected is sent away.
 *
 * Source: ALTER DATABASE RENAME may stand in a transaction, and wants that nobody else is connected.
 *
 * @param former the name that the real one gets; undefined where there is none yet.
 * @throws {UserError} when the names could not be changed; the real database is then as it was.
 */
export async function switchDatabases(
  session: Session,
  names: {
    readonly database: string;
    readonly restored: string;
    readonly former: string | undefined;
  },
  world: World,
): Promise<void> {
  const { database, restored, former } = names;
  const rename = (from: string, to: string) =>
    `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
  if (former === undefined) return session.run(rename(restored, database));
  try {
    await allowConnections(session, database, false);
    await withoutClients(session, [database, restored], world, async () => {
      await session.run("BEGIN");
      try {
        await session.run(rename(database, former));
        await session.run(rename(restored, database));
        await allowConnections(session, former, true);
        await session.run("COMMIT");
      } catch (error) {
        await session.run("ROLLBACK");
        throw error;
      }
    });
  } catch (error) {
    await allowConnections(session, database, true);
    throw notSwitched(names, error);
  }
}

/** Does something that wants databases without clients, after sending them away. */
async function withoutClients(
  session: Session,
  databases: readonly string[],
  { clock, signal }: World,
  work: () => Promise<void>,
): Promise<void> {
  const named = databases.map(quoteLiteral).join(", ");
  for (let attempt = 1; ; attempt += 1) {
    await session.query(
      `SELECT count(pg_terminate_backend(pid)) AS ended FROM pg_stat_activity
        WHERE datname IN (${named}) AND pid <> pg_backend_pid()`,
    );
    try {
      return await work();
    } catch (error) {
      // 55006, object_in_use: somebody is connected still.
      if (!(error instanceof SqlFailed) || error.sqlstate !== "55006" || attempt === TRIES)
        throw error;
      await clock.sleep(200 * attempt, signal);
    }
  }
}

async function allowConnections(session: Session, database: string, allowed: boolean) {
  await session.run(
    `ALTER DATABASE ${quoteIdentifier(database)} WITH ALLOW_CONNECTIONS ${allowed}`,
  );
}

function notSwitched(
  { database, restored }: { readonly database: string; readonly restored: string },
  error: unknown,
): unknown {
  if (!(error instanceof SqlFailed)) return error;
  return new UserError(
    {
      title: "The databases could not change names",
      cause: `${restored} is restored and proven, and could not take the name ${database}: ${error.said}.`,
      remedy: `${database} is as it was. See who connects to it without end; the account needs CREATEDB, must own ${database}, and may end its connections (pg_signal_backend). Then run again.`,
    },
    { reason: error },
  );
}
