import { type CatalogQuestion, USER_SCHEMA } from "./entries.ts";

const OWNERS = `
  SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END AS word,
    format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner, c.relacl AS acl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS kind, 'pg_class'::regclass AS class, c.oid
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't' AND ${USER_SCHEMA}
  UNION ALL
  SELECT 'schema', format('%I', n.nspname), n.nspowner, n.nspacl, 'n', 'pg_namespace'::regclass, n.oid FROM pg_namespace n WHERE ${USER_SCHEMA}
  UNION ALL
  SELECT 'function', format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner, p.proacl, 'f', 'pg_proc'::regclass, p.oid
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${USER_SCHEMA}
  UNION ALL
  SELECT 'type', format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T', 'pg_type'::regclass, t.oid
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE (t.typtype IN ('e', 'd', 'r') OR c.relkind = 'c') AND ${USER_SCHEMA}
  UNION ALL
  SELECT 'foreign server', quote_ident(s.srvname), s.srvowner, s.srvacl, 'S', 'pg_foreign_server'::regclass, s.oid FROM pg_foreign_server s
  UNION ALL
  SELECT 'foreign data wrapper', quote_ident(w.fdwname), w.fdwowner, w.fdwacl, 'F', 'pg_foreign_data_wrapper'::regclass, w.oid FROM pg_foreign_data_wrapper w
  UNION ALL
  SELECT 'publication', quote_ident(p.pubname), p.pubowner, NULL, NULL, 'pg_publication'::regclass, p.oid FROM pg_publication p`;

const OBJECTS = `objects AS (SELECT * FROM (${OWNERS}) o
  WHERE NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e' AND ext.classid = o.class AND ext.objid = o.oid))`;

const GRANTEE =
  "CASE x.grantee WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(x.grantee)) END";
/** What others than the owner may do, whoever granted it. */
const GRANTS = (
  acl: string,
  owner: string,
) => `(SELECT string_agg(words, '; ' ORDER BY words COLLATE "C") FROM (
  SELECT ${GRANTEE} || ': ' || string_agg(DISTINCT lower(x.privilege_type) || CASE WHEN x.is_grantable THEN ' (may grant)' ELSE '' END, ', ') AS words
  FROM aclexplode(${acl}) x WHERE x.grantee <> ${owner} GROUP BY x.grantee) g)`;

/**
 * Owners, privileges and the roles behind them. An owner is listed where it is not the database's,
 * and privileges where they are not those that every such object has from the start.
 */
export const ROLE_QUESTIONS: readonly CatalogQuestion[] = [
  {
    sql: `WITH ${OBJECTS} SELECT 'owner' AS kind, o.word || ' ' || o.name AS name, quote_ident(pg_get_userbyid(o.owner)) AS definition
      FROM objects o WHERE o.owner <> (SELECT datdba FROM pg_database WHERE datname = current_database())
        AND pg_get_userbyid(o.owner) <> 'pg_database_owner'`,
  },
  {
    sql: `WITH ${OBJECTS} SELECT 'privileges' AS kind, word || ' ' || name AS name, coalesce(had, 'nobody but the owner') AS definition FROM (
        SELECT o.*, ${GRANTS("o.acl", "o.owner")} AS had, ${GRANTS('acldefault(o.kind::"char", o.owner)', "o.owner")} AS usual FROM objects o WHERE o.acl IS NOT NULL) p
      WHERE had IS DISTINCT FROM usual`,
  },
  {
    sql: `SELECT 'privileges' AS kind, format('column %I.%I.%I', n.nspname, c.relname, a.attname) AS name, ${GRANTS("a.attacl", "c.relowner")} AS definition
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND ${USER_SCHEMA} AND ${GRANTS("a.attacl", "c.relowner")} IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.deptype = 'e' AND ext.classid = 'pg_class'::regclass AND ext.objid = c.oid)`,
  },
  {
    sql: `SELECT 'default privileges' AS kind, format('of %s on %s%s', quote_ident(pg_get_userbyid(d.defaclrole)),
        CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
        ' in schema ' || quote_ident(n.nspname)) AS name,
        coalesce((SELECT string_agg(words, '; ' ORDER BY words COLLATE "C") FROM (
          SELECT ${GRANTEE} || ': ' || string_agg(DISTINCT lower(x.privilege_type) || CASE WHEN x.is_grantable THEN ' (may grant)' ELSE '' END, ', ') AS words
          FROM aclexplode(d.defaclacl) x GROUP BY x.grantee) g), 'nobody') AS definition
      FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace`,
  },
  {
    sql: `WITH ${OBJECTS}, used AS (
        SELECT owner AS oid FROM objects
        UNION SELECT x.grantee FROM objects o, aclexplode(o.acl) x
        UNION SELECT u FROM pg_policy p, unnest(p.polroles) u
        UNION SELECT defaclrole FROM pg_default_acl
        UNION SELECT x.grantee FROM pg_default_acl d, aclexplode(d.defaclacl) x
        UNION SELECT datdba FROM pg_database WHERE datname = current_database())
      SELECT 'role' AS kind, quote_ident(r.rolname) AS name, concat_ws(' ',
        CASE WHEN r.rolcanlogin THEN 'login' END, CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN NOT r.rolinherit THEN 'noinherit' END,
        CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END, CASE WHEN r.rolreplication THEN 'replication' END,
        CASE WHEN r.rolbypassrls THEN 'bypassrls' END) AS definition
      FROM used u JOIN pg_roles r ON r.oid = u.oid WHERE r.rolname !~ '^pg_'`,
  },
];
