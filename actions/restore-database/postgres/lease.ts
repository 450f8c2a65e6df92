import { UserError } from "../../../shared/failure/index.ts";
import { quoteLiteral, type Session } from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";

/** PostgreSQL keeps no more of an application's name. */
const LONGEST_NAME = 63;

/**
 * Takes the right to restore a database, and holds it as long as the session lives: two restores at
 * once would drop each other's work.
 *
 * @throws {UserError} that says who works on it.
 */
export async function takeLease(
  session: Session,
  database: string,
  { environment }: World,
): Promise<void> {
  const { GITHUB_REPOSITORY: repository, GITHUB_RUN_ID: run } = environment;
  const name =
    repository === undefined
      ? "seaworthy restore-database"
      : `seaworthy restore run ${run ?? "?"} of ${repository}`;
  await session.run(
    `SELECT set_config('application_name', ${quoteLiteral(name.slice(0, LONGEST_NAME))}, false)`,
  );
  const key = `hashtextextended(${quoteLiteral(`seaworthy restore of ${database}`)}, 0)`;
  const [taken] = await session.query<{ readonly mine: boolean }>(
    `SELECT pg_try_advisory_lock(${key}) AS mine`,
  );
  if (taken?.mine === true) return;
  const [holder] = await session.query<{ readonly name: string | null; readonly since: string }>(
    `SELECT a.application_name AS name, a.backend_start::text AS since
       FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND (l.classid::bigint << 32 | l.objid::bigint) = ${key} LIMIT 1`,
  );
  throw new UserError({
    title: "Another restore works on the database",
    cause: `${database} is being restored by ${holder?.name || "somebody else"}${holder === undefined ? "" : `, since ${holder.since}`}.`,
    remedy: "Wait until that is done, or cancel it, and run again. Nothing was changed.",
  });
}
