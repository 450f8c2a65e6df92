import type { EntryKind } from "../fingerprint.ts";

/** A question to the catalog, whose rows are entries. */
export interface CatalogQuestion {
  /** Columns: kind, name, definition. */
  readonly sql: string;
  /** The first and the last major version that it is for. */
  readonly since?: number;
  readonly until?: number;
}

/** One row of an answer. */
export interface Entry {
  readonly kind: EntryKind;
  readonly name: string | null;
  readonly definition: string | null;
}

/** For a query with pg_namespace as n. The names of the server's own schemas begin with pg_. */
export const USER_SCHEMA = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/** A subquery of what belongs to extensions: it comes with them. */
export const MEMBERS = "members AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e')";

/** A condition: that an object belongs to no extension. */
export function ofNoExtension(catalog: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e' AND ext.classid = '${catalog}'::regclass AND ext.objid = ${oid})`;
}
