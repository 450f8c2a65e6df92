import { UserError } from "../../../shared/failure/index.ts";
import type { Session } from "../../../shared/postgres/index.ts";
import type { Means, Restored } from "../restored.ts";
import { seriesBefore } from "../series-before.ts";
import { backUpDatabase } from "./backup-before.ts";
import { contentsOf } from "./contents.ts";
import { type DatabaseProperties, propertiesOf } from "./databases.ts";
import { emptyDatabase } from "./empty-database.ts";
import { commentOn } from "./left-overs.ts";
import { loadDump } from "./load.ts";
import { isOccupied } from "./occupied.ts";
import { writeToDisk } from "./on-disk.ts";
import type { Restore } from "./restore.ts";
import { markOf, readMark } from "./unfinished.ts";

/**
 * Backs up the real database, empties it, restores into it and proves it: for accounts that may not
 * make another. Between the second and the last step it is neither the former nor the restored one;
 * its comment says so, and a run that finds that goes on without its name being typed again.
 */
export async function restoreInPlace(restore: Restore, means: Means): Promise<Restored> {
  const { server, session } = restore;
  const { options, world, journal } = means;
  const former = await requireDatabase(restore);
  const mark = readMark(former.comment);
  if (mark !== undefined) {
    world.log.warning(
      `A restore into ${server.database} was interrupted at ${mark.since}: it is neither the former nor the restored database. It is emptied and restored anew.`,
      "An interrupted restore",
    );
  }
  const occupied = mark !== undefined || (await isOccupied(session, server.database, options));
  await requireFreedom(session, server.database);
  const previousBackup =
    mark !== undefined
      ? mark.previousBackup
      : occupied
        ? await journal.phase("back up before", () => backUpDatabase(server, means))
        : undefined;
  const unfinished = {
    ...{ since: new Date(world.clock.now()).toISOString(), previousBackup },
    comment: mark === undefined ? former.comment : mark.comment,
  };
  await session.run(commentOn(server.database, markOf(unfinished)));
  try {
    return await replaced(restore, { previousBackup, comment: unfinished.comment }, means);
  } catch (error) {
    throw halfDone(error, server.database, previousBackup, means);
  }
}

async function replaced(
  restore: Restore,
  { previousBackup, comment }: { previousBackup: string | undefined; comment: string | null },
  { options, world, journal }: Means,
): Promise<Restored> {
  const { dump, server, session, demands, prove } = restore;
  const { database } = server;
  world.log.info(`Emptying ${database}`);
  await journal.phase("empty", async () => {
    await emptyDatabase(session, demands, world);
    const { count, examples } = await contentsOf(session);
    if (count > 0) throw notEmptied(database, examples);
  });
  world.log.info(`Restoring into ${database} itself`);
  const loaded = await journal.phase("restore", () =>
    loadDump(dump, server, database, options, world),
  );
  const proof = await journal.phase("compare", () => prove(server, database, loaded));
  if (!proof.isDamaged) {
    await journal.phase("analyze", () => session.run("ANALYZE"));
    await journal.phase("write", () => writeToDisk(session));
    await session.run(commentOn(database, comment));
  }
  return {
    ...{ target: `database ${database}`, unit: "rows", previousDatabase: undefined },
    ...{ findings: proof.findings, items: proof.items, unknown: proof.unknown },
    ...{ restoreSeconds: proof.seconds, previousBackup },
    ...{ isSwitched: !proof.isDamaged, isTouched: true },
  };
}

async function requireDatabase({ session, server }: Restore): Promise<DatabaseProperties> {
  const former = await propertiesOf(session, server.database);
  if (former === undefined) throw new Error("connected to a database that is not there");
  const [found] = await session.query<{ readonly member: boolean }>(
    "SELECT pg_has_role(current_user, datdba, 'USAGE') AS member FROM pg_database WHERE datname = current_database()",
  );
  if (found?.member === true || server.facts.superuser) return former;
  throw new UserError({
    title: "The account does not own the database",
    cause: `${server.database} belongs to ${former.owner}, and only its owner may empty it; ${server.facts.user} is no member of ${former.owner}.`,
    remedy: `Connect as ${former.owner} or a superuser. Nothing was changed.`,
  });
}

/** @throws {UserError} for what cannot be emptied rightly, or would be lost for good. */
async function requireFreedom(session: Session, database: string): Promise<void> {
  const subscriptions = await session.query<{ readonly name: string }>(
    "SELECT subname AS name FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()",
  );
  if (subscriptions.length > 0) {
    throw new UserError({
      title: "The database subscribes to another",
      cause: `${database} has ${subscriptions.map(({ name }) => name).join(", ")}, whose state at the publisher a backup does not hold.`,
      remedy: "Drop the subscriptions, run again, and make them anew. Nothing was changed.",
    });
  }
  const foreign = await session.query<{ readonly name: string; readonly owner: string }>(
    `SELECT DISTINCT n.nspname || '.' || c.relname AS name, pg_get_userbyid(c.relowner) AS owner
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        AND NOT pg_has_role(current_user, c.relowner, 'USAGE') AND NOT pg_has_role(current_user, n.nspowner, 'USAGE')
      ORDER BY 1 LIMIT 5`,
  );
  if (foreign.length === 0) return;
  throw new UserError({
    title: "The account cannot empty the database",
    cause: `It may not drop ${foreign.map(({ name, owner }) => `${name} of ${owner}`).join(", ")}.`,
    remedy: "Make the account a member of these roles. Nothing was changed.",
  });
}

function notEmptied(database: string, examples: readonly string[]): UserError {
  return new UserError({
    title: "The database could not be emptied",
    cause: `${database} still holds ${examples.join(", ")}. Somebody makes them while it is being restored, or the account may not drop them.`,
    remedy: "Stop what uses the database, and run again.",
  });
}

/** What stopped it, with the way back. Not for what was restored and is not as it should be. */
function halfDone(
  error: unknown,
  database: string,
  previousBackup: string | undefined,
  { options, world }: Means,
): unknown {
  const way =
    previousBackup === undefined
      ? "Nothing that it held before was backed up."
      : `Its former contents are in backup ${previousBackup} of ${seriesBefore(options)}.`;
  const state = `${database} is half restored, and says so in its comment. ${way} Run again to go on: replace need not be typed.`;
  if (world.signal.aborted || !(error instanceof UserError)) {
    world.log.warning(state, "Interrupted in the middle");
    return error;
  }
  const { title, cause, remedy, evidence } = error;
  const own = remedy.replace(/ ?Nothing was changed\./, "");
  return new UserError(
    { title, cause, remedy: `${own} ${state}`, ...(evidence === undefined ? {} : { evidence }) },
    { reason: error },
  );
}
