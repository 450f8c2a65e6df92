import { quoteIdentifier, quoteLiteral, type Session } from "../../../shared/postgres/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Demands } from "./demands.ts";

/** Whoever reads or writes meanwhile holds a lock; they are not waited for without end. */
const LOCK_TIMEOUT = "60s";
/** Each takes a lock until its transaction ends. */
const OBJECTS_AT_ONCE = 1_000;

/**
 * Drops everything that somebody made in the session's database. Extensions that the backup has too
 * stay, for an ordinary account could not make them again; so do the schemas that they live in, and
 * `public`.
 *
 * @throws {SqlFailed} for what may not be dropped, or is in use.
 */
export async function emptyDatabase(
  session: Session,
  demands: Demands,
  world: World,
): Promise<void> {
  await session.run(`SELECT set_config('lock_timeout', '${LOCK_TIMEOUT}', false)`);
  await dropAll(session, "EVENT TRIGGER", "SELECT evtname AS name FROM pg_event_trigger");
  await dropAll(session, "PUBLICATION", "SELECT pubname AS name FROM pg_publication");
  await dropExtensions(session, demands, world);
  await dropAll(session, "SCHEMA", SCHEMAS);
  await dropInKeptSchemas(session);
  await dropAll(
    session,
    "SERVER",
    `SELECT srvname AS name FROM pg_foreign_server s WHERE ${own("s", "pg_foreign_server")}`,
  );
  await dropAll(
    session,
    "FOREIGN DATA WRAPPER",
    `SELECT fdwname AS name FROM pg_foreign_data_wrapper w WHERE ${own("w", "pg_foreign_data_wrapper")}`,
  );
  await unlinkLargeObjects(session);
  await forgetPrivileges(session);
  await session.run("SELECT set_config('lock_timeout', '0', false)");
}

function own(alias: string, catalog: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalog}'::regclass AND d.objid = ${alias}.oid AND d.deptype = 'e')`;
}

const KEPT = `n.nspname = 'public' OR EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)`;
const NOT_OF_THE_SERVER = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
const SCHEMAS = `SELECT nspname AS name FROM pg_namespace n
  WHERE ${NOT_OF_THE_SERVER} AND NOT (${KEPT}) AND ${own("n", "pg_namespace")} ORDER BY nspname`;

async function dropAll(session: Session, kind: string, sql: string): Promise<void> {
  for (const { name } of await session.query<{ readonly name: string }>(sql)) {
    await session.run(`DROP ${kind} IF EXISTS ${quoteIdentifier(name)} CASCADE`);
  }
}

/** Those that the backup does not have, where the account may. */
async function dropExtensions(
  session: Session,
  { extensions }: Demands,
  { log }: World,
): Promise<void> {
  const wanted = new Set(extensions);
  const rows = await session.query<{
    readonly name: string;
    readonly quoted: string;
    readonly mine: boolean;
  }>(
    "SELECT extname AS name, quote_ident(extname) AS quoted, pg_has_role(current_user, extowner, 'USAGE') AS mine FROM pg_extension WHERE extname <> 'plpgsql'",
  );
  for (const { name, quoted, mine } of rows) {
    if (wanted.has(quoted)) continue;
    if (mine) await session.run(`DROP EXTENSION IF EXISTS ${quoted} CASCADE`);
    else log.info(`Extension ${name} stays: the account may not drop it`);
  }
}

interface Dependent {
  readonly type: string;
  readonly identity: string;
}

/** What somebody made in schemas that stay, each by its own. */
async function dropInKeptSchemas(session: Session): Promise<void> {
  for (;;) {
    const found = await session.query<Dependent>(
      `SELECT o.type, o.identity FROM pg_depend d JOIN pg_namespace n ON n.oid = d.refobjid,
              pg_identify_object(d.classid, d.objid, 0) o
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.deptype = 'n' AND ${NOT_OF_THE_SERVER} AND (${KEPT})
          AND d.classid NOT IN ('pg_extension'::regclass, 'pg_default_acl'::regclass, 'pg_publication_namespace'::regclass)
          AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = d.classid AND x.objid = d.objid AND x.deptype = 'e')
          AND o.type NOT IN ('index', 'table constraint', 'trigger') ORDER BY d.objid LIMIT ${OBJECTS_AT_ONCE}`,
    );
    if (found.length === 0) return;
    for (const { type, identity } of found) {
      await session.run(`DROP ${wordsOf(type)} IF EXISTS ${identity} CASCADE`);
    }
    if (found.length < OBJECTS_AT_ONCE) return;
  }
}

/** As DROP names what pg_identify_object names. */
function wordsOf(type: string): string {
  if (type === "composite type") return "TYPE";
  if (type === "statistics object") return "STATISTICS";
  return type.toUpperCase();
}

async function unlinkLargeObjects(session: Session): Promise<void> {
  for (;;) {
    const [batch] = await session.query<{ readonly count: number }>(
      `SELECT count(lo_unlink(oid))::int AS count FROM (SELECT oid FROM pg_largeobject_metadata ORDER BY oid LIMIT ${OBJECTS_AT_ONCE}) l`,
    );
    if ((batch?.count ?? 0) < OBJECTS_AT_ONCE) return;
  }
}

interface DefaultPrivilege {
  readonly role: string;
  readonly objects: string;
  readonly schema: string | null;
  readonly grantee: string | null;
}

/** Default privileges, and those on schemas that stay, are again what they are in a new database. */
async function forgetPrivileges(session: Session): Promise<void> {
  const defaults = await session.query<DefaultPrivilege>(
    `SELECT pg_get_userbyid(d.defaclrole) AS role, n.nspname AS schema,
            CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END AS grantee,
            CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
              WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS objects
       FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace,
            aclexplode(d.defaclacl) a
      GROUP BY 1, 2, 3, 4`,
  );
  for (const { role, objects, schema, grantee } of defaults) {
    if (grantee === role && schema === null) continue;
    const where = schema === null ? "" : ` IN SCHEMA ${quoteIdentifier(schema)}`;
    const whom = grantee === null ? "PUBLIC" : quoteIdentifier(grantee);
    const isUsual = grantee === null && schema === null && /FUNCTIONS|TYPES/.test(objects);
    if (isUsual) continue;
    await session.run(
      `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoteIdentifier(role)}${where} REVOKE ALL ON ${objects} FROM ${whom}`,
    );
  }
  await resetPublic(session);
}

async function resetPublic(session: Session): Promise<void> {
  const acl = (column: string) =>
    `SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS whom, a.privilege_type AS privilege
       FROM pg_namespace n LEFT JOIN pg_init_privs i ON i.objoid = n.oid AND i.classoid = 'pg_namespace'::regclass, aclexplode(${column}) a
      WHERE n.nspname = ${quoteLiteral("public")} AND a.grantee <> n.nspowner ORDER BY 1, 2`;
  interface Granted {
    readonly whom: string;
    readonly privilege: string;
  }
  const [now, first] = [
    await session.query<Granted>(acl("n.nspacl")),
    await session.query<Granted>(acl("i.initprivs")),
  ];
  if (JSON.stringify(now) === JSON.stringify(first)) return;
  for (const whom of new Set(now.map((each) => each.whom))) {
    await session.run(`REVOKE ALL ON SCHEMA public FROM ${whom}`);
  }
  for (const { whom, privilege } of first) {
    await session.run(`GRANT ${privilege} ON SCHEMA public TO ${whom}`);
  }
}
