import type { Session } from "../postgres/index.ts";

export interface LargeObjectFacts {
  /** How many the role may not read, and the ids of the first of them. */
  readonly unreadable: number;
  readonly examples: readonly string[];
}

/**
 * Finds large objects that the role may not read. pg_read_all_data does not hold for them; owners,
 * grants, superusers and `lo_compat_privileges` do.
 *
 * @throws {SqlFailed}
 */
export async function readLargeObjectFacts(session: Session): Promise<LargeObjectFacts> {
  const [row] = await session.query<{ readonly count: number; readonly first: string[] | null }>(`
    SELECT count(*)::int AS count, (array_agg(oid::text ORDER BY oid))[1:3] AS first
    FROM pg_largeobject_metadata m
    WHERE current_setting('lo_compat_privileges') = 'off'
      AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
      AND NOT pg_has_role(m.lomowner, 'USAGE')
      AND NOT EXISTS (
        SELECT FROM aclexplode(m.lomacl) AS a
        WHERE a.privilege_type = 'SELECT' AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))`);
  return { unreadable: row?.count ?? 0, examples: row?.first ?? [] };
}
