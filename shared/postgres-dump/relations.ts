import type { Session } from "../postgres/index.ts";

/** A table, view, sequence or the like of the database's users, as the role sees it. */
export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  /** Of a partition, the table that it is a part of, by its oid. */
  readonly partitionOf: string | null;
  /** As pg_class has it: r table, p partitioned, m materialized view, v view, S sequence, f foreign. */
  readonly kind: "r" | "p" | "m" | "v" | "S" | "f";
  readonly unlogged: boolean;
  readonly owner: string;
  readonly mayUseSchema: boolean;
  readonly maySelect: boolean;
  /** Whether row-level security would hide rows from the role, or refuse it. */
  readonly filtered: boolean;
  readonly forcesRowSecurity: boolean;
  readonly owned: boolean;
  /** Belongs to an extension, which marked it as holding users' rows. */
  readonly ofExtension: boolean;
}

/**
 * Whatever in the database could be dumped, but for what extensions bring along.
 *
 * @throws {SqlFailed}
 */
export async function readRelations(session: Session): Promise<readonly Relation[]> {
  return await session.query<Relation>(`
    SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
      (SELECT i.inhparent::text FROM pg_inherits i WHERE i.inhrelid = c.oid AND c.relispartition)
        AS "partitionOf",
      c.relpersistence = 'u' AS unlogged, pg_get_userbyid(c.relowner) AS owner,
      has_schema_privilege(n.oid, 'USAGE') AS "mayUseSchema",
      CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
        ELSE has_table_privilege(c.oid, 'SELECT') END AS "maySelect",
      CASE WHEN c.relkind IN ('r', 'p') THEN row_security_active(c.oid) ELSE false END AS filtered,
      c.relforcerowsecurity AS "forcesRowSecurity",
      pg_has_role(c.relowner, 'USAGE') AS owned,
      e.extconfig IS NOT NULL AS "ofExtension"
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = d.refobjid AND c.oid = ANY (e.extconfig)
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f') AND c.relpersistence <> 't'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (d.objid IS NULL OR e.extconfig IS NOT NULL)
    ORDER BY n.nspname, c.relname`);
}

/** Names of schemas that belong to users. */
export async function readSchemas(session: Session): Promise<readonly string[]> {
  const rows = await session.query<{ readonly name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}
