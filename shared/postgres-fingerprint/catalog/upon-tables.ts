import { type CatalogQuestion, ofNoExtension, USER_SCHEMA } from "./entries.ts";

const RELATION = "format('%I.%I', n.nspname, c.relname)";
const OURS = `c.relpersistence <> 't' AND ${USER_SCHEMA} AND ${ofNoExtension("pg_class", "c.oid")}`;
const FROM_CLASS = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";

/**
 * What stands upon tables. Of what a partition has from its parent only that is listed which a dump
 * names: not the foreign keys and triggers that the server makes for each partition.
 */
export const UPON_TABLES_QUESTIONS: readonly CatalogQuestion[] = [
  {
    sql: `SELECT 'constraint' AS kind, ${RELATION} || '.' || quote_ident(k.conname) AS name, pg_get_constraintdef(k.oid) AS definition
      FROM ${FROM_CLASS} JOIN pg_constraint k ON k.conrelid = c.oid
      WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND (k.contype <> 'f' OR k.conparentid = 0) AND ${OURS}`,
  },
  {
    // Before 18 a column's NOT NULL cannot be unproven.
    since: 18,
    sql: `SELECT 'constraint' AS kind, ${RELATION} || '.' || quote_ident(k.conname) AS name, pg_get_constraintdef(k.oid) AS definition
      FROM ${FROM_CLASS} JOIN pg_constraint k ON k.conrelid = c.oid
      WHERE k.contype = 'n' AND NOT k.convalidated AND ${OURS}`,
  },
  {
    sql: `SELECT 'index' AS kind, format('%I.%I', n.nspname, x.relname) AS name, concat_ws(' ', pg_get_indexdef(i.indexrelid),
        CASE WHEN NOT i.indisvalid THEN 'INVALID' END, CASE WHEN NOT i.indisready THEN 'NOT READY' END,
        (SELECT 'attached to ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)) AS definition
      FROM ${FROM_CLASS} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid WHERE ${OURS}`,
  },
  {
    sql: `SELECT 'index clustered on' AS kind, ${RELATION} AS name, quote_ident(x.relname) AS definition
      FROM ${FROM_CLASS} JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid
      WHERE i.indisclustered AND ${OURS}`,
  },
  {
    sql: `SELECT 'trigger' AS kind, ${RELATION} || '.' || quote_ident(t.tgname) AS name, pg_get_triggerdef(t.oid)
        || CASE t.tgenabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED ON REPLICA' ELSE ' ENABLED ALWAYS' END AS definition
      FROM ${FROM_CLASS} JOIN pg_trigger t ON t.tgrelid = c.oid WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND ${OURS}`,
  },
  {
    // The triggers behind a foreign key can be disabled too, and then it holds no more.
    sql: `SELECT 'trigger' AS kind, ${RELATION} || '.' || quote_ident(k.conname) AS name, 'of the foreign key, disabled' AS definition
      FROM ${FROM_CLASS} JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0
      WHERE ${OURS} AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgrelid = c.oid AND t.tgenabled = 'D')`,
  },
  {
    sql: `SELECT 'rule' AS kind, ${RELATION} || '.' || quote_ident(r.rulename) AS name, pg_get_ruledef(r.oid)
        || CASE r.ev_enabled WHEN 'O' THEN '' WHEN 'D' THEN ' DISABLED' WHEN 'R' THEN ' ENABLED ON REPLICA' ELSE ' ENABLED ALWAYS' END AS definition
      FROM ${FROM_CLASS} JOIN pg_rewrite r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN' AND ${OURS}`,
  },
  {
    sql: `SELECT 'policy' AS kind, ${RELATION} || '.' || quote_ident(p.polname) AS name, concat_ws(' ',
        CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for',
        CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
        'to', (SELECT string_agg(CASE u WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(u)) END, ', ' ORDER BY pg_get_userbyid(u) COLLATE "C") FROM unnest(p.polroles) u),
        'using (' || pg_get_expr(p.polqual, p.polrelid) || ')', 'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')') AS definition
      FROM ${FROM_CLASS} JOIN pg_policy p ON p.polrelid = c.oid WHERE ${OURS}`,
  },
  {
    sql: `SELECT 'statistics object' AS kind, format('%I.%I', n.nspname, s.stxname) AS name, pg_get_statisticsobjdef(s.oid) AS definition
      FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
      WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_statistic_ext", "s.oid")}`,
  },
];
