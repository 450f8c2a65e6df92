import { type CatalogQuestion, ofNoExtension } from "./entries.ts";

/** Options of connections with the values of those that are no secrets. */
const SHOWN_OPTIONS = (column: string) =>
  `(SELECT string_agg(CASE WHEN o ~* '^[^=]*(pass|secret|token|key)' THEN split_part(o, '=', 1) || '=***' ELSE o END, ', ' ORDER BY o) FROM unnest(${column}) o)`;

/** @param detail SQL that is appended to a table's name. */
function publications(detail: string): string {
  return `SELECT 'publication' AS kind, quote_ident(p.pubname) AS name, concat_ws(' ', CASE WHEN p.puballtables THEN 'for all tables' END,
      'publish', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
      CASE WHEN p.pubviaroot THEN 'via root' END, CASE WHEN coalesce(to_jsonb(p) ->> 'pubgencols', 'n') NOT IN ('n', 'false') THEN 'generated columns' END,
      'tables (' || (SELECT string_agg(r.prrelid::regclass::text ${detail}, ', ' ORDER BY r.prrelid::regclass::text COLLATE "C")
        FROM pg_publication_rel r WHERE r.prpubid = p.oid) || ')') AS definition
    FROM pg_publication p WHERE ${ofNoExtension("pg_publication", "p.oid")}`;
}

/** What belongs to the database as a whole, or reaches out of it. */
export const DATABASE_QUESTIONS: readonly CatalogQuestion[] = [
  {
    sql: `SELECT 'extension' AS kind, quote_ident(e.extname) AS name, format('version %s in schema %I', e.extversion, n.nspname) AS definition
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace`,
  },
  {
    sql: `SELECT 'foreign data wrapper' AS kind, quote_ident(w.fdwname) AS name, concat_ws(' ', 'handler ' || nullif(w.fdwhandler, 0)::regproc::text,
        'validator ' || nullif(w.fdwvalidator, 0)::regproc::text, 'options (' || ${SHOWN_OPTIONS("w.fdwoptions")} || ')') AS definition
      FROM pg_foreign_data_wrapper w WHERE ${ofNoExtension("pg_foreign_data_wrapper", "w.oid")}`,
  },
  {
    sql: `SELECT 'foreign server' AS kind, quote_ident(s.srvname) AS name, concat_ws(' ', 'wrapper', quote_ident(w.fdwname), 'type ' || s.srvtype, 'version ' || s.srvversion,
        'options (' || ${SHOWN_OPTIONS("s.srvoptions")} || ')') AS definition
      FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE ${ofNoExtension("pg_foreign_server", "s.oid")}`,
  },
  {
    // Their options hold passwords, and only their owners see them.
    sql: `SELECT 'user mapping' AS kind, format('for %s on %I', CASE m.umuser WHEN 0 THEN 'public' ELSE quote_ident(m.usename) END, m.srvname) AS name, '' AS definition
      FROM pg_user_mappings m`,
  },
  // 15 brought conditions and lists of columns.
  { until: 14, sql: publications("") },
  {
    since: 15,
    sql: publications(`|| coalesce(' columns (' || (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C") FROM pg_attribute a
        WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')', '')
      || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')`),
  },
  {
    since: 15,
    sql: `SELECT 'publication' AS kind, format('%I for tables in schema %I', p.pubname, n.nspname) AS name, '' AS definition
      FROM pg_publication_namespace s JOIN pg_publication p ON p.oid = s.pnpubid JOIN pg_namespace n ON n.oid = s.pnnspid`,
  },
  {
    // A restored subscription is disabled: it must not begin to copy at once.
    sql: `SELECT 'subscription' AS kind, quote_ident(s.subname) AS name, 'publications ' || array_to_string(s.subpublications, ', ') AS definition
      FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  },
  {
    sql: `SELECT 'database setting' AS kind, split_part(o, '=', 1) || CASE s.setrole WHEN 0 THEN '' ELSE ' of role ' || quote_ident(pg_get_userbyid(s.setrole)) END AS name, substr(o, strpos(o, '=') + 1) AS definition
      FROM pg_db_role_setting s, unnest(s.setconfig) o WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  },
  {
    sql: `SELECT 'comment' AS kind, concat_ws(' ', i.type, i.identity) AS name, d.description AS definition
      FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
      WHERE d.objoid >= 16384 AND d.classoid <> 'pg_extension'::regclass
        AND NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e' AND ext.classid = d.classoid AND ext.objid = d.objoid)
        AND i.schema IS DISTINCT FROM 'pg_toast'`,
  },
  {
    sql: `SELECT 'security label' AS kind, format('%s %s by %s', i.type, i.identity, l.provider) AS name, l.label AS definition
      FROM pg_seclabel l, LATERAL pg_identify_object(l.classoid, l.objoid, l.objsubid) i`,
  },
];
