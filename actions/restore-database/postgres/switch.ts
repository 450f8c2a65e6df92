import { UserError } from "../../../shared/failure/index.ts";
import {
  quoteIdentifier,
  quoteLiteral,
  type Session,
  SqlFailed,
} from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";
import { commentOn } from "./left-overs.ts";
import { openMaintenance, type TargetServer } from "./server.ts";

const TRIES = 4;
const LOOK_EVERY_MS = 150;

/** What is to be called what. */
export interface Switch {
  /** The name of the real one. */
  readonly database: string;
  readonly restored: string;
  /** The name that the real one gets; undefined where there is none yet. */
  readonly former: string | undefined;
  /** That of the real one, which the restored one has to have. */
  readonly comment: string | null;
}

/**
 * Lets a restored database take the name of the real one, which gets another; both or neither,
 * whatever happens meanwhile: it is one transaction. While it waits that all clients of the real one
 * are gone, it holds a lock by which new ones wait, and a second session sends away who is there.
 *
 * Source: RenameDatabase in src/backend/commands/dbcommands.c locks the database, then waits 5 s for
 * others to go; InitPostgres takes a lock that conflicts with it.
 *
 * @throws {UserError} when the names could not be changed; the real database is then as it was.
 */
export async function switchDatabases(
  server: TargetServer,
  names: Switch,
  world: World,
): Promise<void> {
  await using session = await openMaintenance(server);
  const refused = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    try {
      await using usher = names.former === undefined ? undefined : await openMaintenance(server);
      using ushering = usher && sendAway(usher, [names.database, names.restored], refused, world);
      await exchange(session, names);
      return void ushering;
    } catch (error) {
      if (!(error instanceof SqlFailed)) throw error;
      // 55006, object_in_use: somebody is connected still.
      if (error.sqlstate === "55006" && attempt < TRIES && refused.size === 0) continue;
      throw notSwitched(names, error, refused);
    }
  }
}

async function exchange(session: Session, names: Switch): Promise<void> {
  const { database, restored, former, comment } = names;
  const rename = (from: string, to: string) =>
    `ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`;
  await session.run("BEGIN");
  try {
    if (former !== undefined) await session.run(rename(database, former));
    await session.run(rename(restored, database));
    await session.run(commentOn(database, comment));
    await session.run("COMMIT");
  } catch (error) {
    // A session that is gone has rolled back already.
    await session.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Ends the connections to databases again and again, until it is disposed of. */
function sendAway(
  session: Session,
  databases: readonly string[],
  refused: Set<string>,
  { clock, signal }: World,
): Disposable {
  let over = false;
  const named = databases.map(quoteLiteral).join(", ");
  const rounds = async () => {
    while (!over) {
      const clients = await session.query<{ readonly pid: number; readonly who: string }>(
        // The server's own workers have no user, and go by themselves.
        `SELECT pid, format('%s (pid %s%s)', usename, pid, ', ' || nullif(application_name, '')) AS who
           FROM pg_stat_activity WHERE datname IN (${named}) AND usesysid IS NOT NULL`,
      );
      for (const { pid, who } of clients) await end(session, pid, who, refused);
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  };
  // How the renaming ends tells what there is to tell.
  rounds().catch(() => {});
  return {
    [Symbol.dispose]: () => {
      over = true;
    },
  };
}

async function end(session: Session, pid: number, who: string, refused: Set<string>) {
  try {
    await session.query(`SELECT pg_terminate_backend(${pid}) AS ended`);
  } catch (error) {
    if (error instanceof SqlFailed) refused.add(who);
    else throw error;
  }
}

function notSwitched(
  { database, restored, former }: Switch,
  error: SqlFailed,
  refused: ReadonlySet<string>,
): UserError {
  const stay =
    refused.size === 0
      ? ""
      : ` The account may not end the connections of ${[...refused].slice(0, 5).join(", ")}.`;
  const by = [
    ...(former === undefined
      ? []
      : [`ALTER DATABASE ${quoteIdentifier(database)} RENAME TO ${quoteIdentifier(former)};`]),
    `ALTER DATABASE ${quoteIdentifier(restored)} RENAME TO ${quoteIdentifier(database)};`,
  ];
  return new UserError(
    {
      title: "The databases could not change names",
      cause: `${restored} is restored and proven, and could not take the name ${database}: ${error.said}.${stay}`,
      remedy: `${database} is as it was. Stop who is connected, or let the account end connections (pg_signal_backend), and let them change names by the statements below; or run again, which drops ${restored} and restores anew.`,
      evidence: by.join("\n"),
    },
    { reason: error },
  );
}
