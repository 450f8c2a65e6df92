import type { Session } from "../../../shared/postgres/index.ts";

/** What a database holds beside what every new one has. */
export interface Contents {
  /** The first few by name, for messages: `table public.orders`. */
  readonly examples: readonly string[];
  readonly count: number;
}

const KINDS = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
  WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' END`;

/** What somebody made: nothing of the server's own, and nothing that came with an extension. */
const OWN_OBJECTS = `
  SELECT ${KINDS} || ' ' || n.nspname || '.' || c.relname AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'function ' || n.nspname || '.' || p.proname
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'type ' || n.nspname || '.' || t.typname
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE t.typtype IN ('e', 'd', 'r') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'schema ' || n.nspname FROM pg_namespace n
   WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public')
     AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'large object ' || oid FROM pg_largeobject_metadata`;

/** What the session's database holds that somebody would miss. */
export async function contentsOf(session: Session): Promise<Contents> {
  const rows = await session.query<{ readonly name: string; readonly count: string }>(
    `SELECT name, count(*) OVER ()::text AS count FROM (${OWN_OBJECTS}) own ORDER BY name LIMIT 5`,
  );
  return { examples: rows.map(({ name }) => name), count: Number(rows[0]?.count ?? 0) };
}
