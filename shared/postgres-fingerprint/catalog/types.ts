import { type CatalogQuestion, ofNoExtension, USER_SCHEMA } from "./entries.ts";

const TYPE = "format('%I.%I', n.nspname, t.typname)";
const FROM_TYPE = "pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace";
const OURS = `${USER_SCHEMA} AND ${ofNoExtension("pg_type", "t.oid")}`;

/** Types, collations, text search. */
export const TYPE_QUESTIONS: readonly CatalogQuestion[] = [
  {
    sql: `SELECT 'type' AS kind, ${TYPE} AS name,
        'enum (' || coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '') || ')' AS definition
      FROM ${FROM_TYPE} WHERE t.typtype = 'e' AND ${OURS}`,
  },
  {
    sql: `SELECT 'type' AS kind, ${TYPE} AS name, concat_ws(' ', 'domain of', format_type(t.typbasetype, t.typtypmod),
        CASE WHEN t.typcollation <> b.typcollation THEN 'collate ' || t.typcollation::regcollation::text END,
        CASE WHEN t.typnotnull THEN 'not null' END, 'default ' || t.typdefault,
        (SELECT string_agg(format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), ' ' ORDER BY k.conname COLLATE "C")
          FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c')) AS definition
      FROM ${FROM_TYPE} JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND ${OURS}`,
  },
  {
    sql: `SELECT 'type' AS kind, ${TYPE} AS name, 'composite (' || coalesce((SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation <> y.typcollation THEN 'collate ' || a.attcollation::regcollation::text END), ', ' ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')' AS definition
      FROM ${FROM_TYPE} JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c' AND ${OURS}`,
  },
  {
    sql: `SELECT 'type' AS kind, ${TYPE} AS name, concat_ws(' ', 'range of', format_type(r.rngsubtype, NULL), 'collate ' || nullif(r.rngcollation, 0)::regcollation::text,
        'operator class ' || (SELECT format('%I.%I', s.nspname, o.opcname) FROM pg_opclass o JOIN pg_namespace s ON s.oid = o.opcnamespace WHERE o.oid = r.rngsubopc),
        'canonical ' || nullif(r.rngcanonical, 0)::regproc::text, 'difference ' || nullif(r.rngsubdiff, 0)::regproc::text,
        'multirange ' || nullif(r.rngmultitypid, 0)::regtype::text) AS definition
      FROM ${FROM_TYPE} JOIN pg_range r ON r.rngtypid = t.oid WHERE ${OURS}`,
  },
  {
    sql: `SELECT 'type' AS kind, ${TYPE} AS name, concat_ws(' ', 'base type', 'input', t.typinput::regproc, 'output', t.typoutput::regproc,
        'length', t.typlen, 'alignment', t.typalign, 'category', t.typcategory, 'default ' || t.typdefault) AS definition
      FROM ${FROM_TYPE} WHERE t.typtype = 'b' AND t.typisdefined AND ${OURS}
        AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)`,
  },
  {
    sql: `SELECT 'collation' AS kind, format('%I.%I', n.nspname, l.collname) AS name, concat_ws(' ',
        CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'c' THEN 'libc' WHEN 'b' THEN 'builtin' ELSE 'default' END,
        coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale'), l.collcollate, nullif(l.collctype, l.collcollate),
        CASE WHEN NOT l.collisdeterministic THEN 'nondeterministic' END, 'rules ' || quote_literal(to_jsonb(l) ->> 'collicurules')) AS definition
      FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_collation", "l.oid")}`,
  },
  {
    // Of the server's own collations only those that a column or an index is sorted by.
    sql: `SELECT DISTINCT 'collation version' AS kind, l.oid::regcollation::text AS name,
        concat('stored ', l.collversion, ', actual ', pg_collation_actual_version(l.oid)) AS definition
      FROM pg_collation l JOIN pg_attribute a ON a.attcollation = l.oid JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE l.collversion IS NOT NULL AND c.relkind IN ('r', 'p', 'i', 'I', 'm') AND ${USER_SCHEMA}`,
  },
  {
    sql: `SELECT 'text search configuration' AS kind, format('%I.%I', n.nspname, g.cfgname) AS name, 'parser ' || quote_ident(p.prsname) || ' '
        || coalesce((SELECT string_agg(format('%s: %s', m.maptokentype, m.dicts), ', ' ORDER BY m.maptokentype)
          FROM (SELECT maptokentype, string_agg(mapdict::regdictionary::text, ' ' ORDER BY mapseqno) AS dicts FROM pg_ts_config_map WHERE mapcfg = g.oid GROUP BY 1) m), '') AS definition
      FROM pg_ts_config g JOIN pg_namespace n ON n.oid = g.cfgnamespace JOIN pg_ts_parser p ON p.oid = g.cfgparser
      WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_ts_config", "g.oid")}`,
  },
  {
    sql: `SELECT 'text search dictionary' AS kind, format('%I.%I', n.nspname, d.dictname) AS name, concat_ws(' ', 'template', quote_ident(t.tmplname), d.dictinitoption) AS definition
      FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
      WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_ts_dict", "d.oid")}`,
  },
  {
    sql: `SELECT 'text search parser' AS kind, format('%I.%I', n.nspname, p.prsname) AS name, concat_ws(' ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype) AS definition
      FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_ts_parser", "p.oid")}`,
  },
  {
    sql: `SELECT 'text search template' AS kind, format('%I.%I', n.nspname, t.tmplname) AS name, concat_ws(' ', t.tmplinit, t.tmpllexize) AS definition
      FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_ts_template", "t.oid")}`,
  },
];
