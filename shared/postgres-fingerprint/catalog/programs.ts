import { type CatalogQuestion, ofNoExtension, USER_SCHEMA } from "./entries.ts";

const SIGNATURE =
  "format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))";
const FROM_PROC = "pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace";
/** The constructors of a range type and its casts come with the type. */
const OF_NO_TYPE = (catalog: string, oid: string) =>
  `NOT EXISTS (SELECT FROM pg_depend own WHERE own.deptype = 'i' AND own.classid = '${catalog}'::regclass AND own.objid = ${oid})`;
const OURS = `${USER_SCHEMA} AND ${ofNoExtension("pg_proc", "p.oid")} AND ${OF_NO_TYPE("pg_proc", "p.oid")}`;
/** What pg_get_expr and its like leave out of a support function that is not there. */
const FUNCTION = (column: string, word: string) =>
  `'${word} ' || nullif(g.${column}, 0)::regprocedure::text`;

/**
 * The server writes a function as it is now, and pg_dump its body as it was in the snapshot: where the
 * two differ, somebody has replaced the function since, and the body of the snapshot is put in.
 */
const AS_IN_SNAPSHOT = `CASE WHEN p.prosrc <> '' AND strpos(d.text, p.prosrc) = 0 AND strpos(d.text, chr(10) || 'AS ' || d.tag) > 0
        THEN left(d.text, strpos(d.text, chr(10) || 'AS ' || d.tag)) || 'AS ' || d.tag || p.prosrc || d.tag || chr(10) ELSE d.text END`;

/** Functions, procedures, aggregates, and what is made of them. */
export const PROGRAM_QUESTIONS: readonly CatalogQuestion[] = [
  {
    sql: `SELECT 'function' AS kind, ${SIGNATURE} AS name, ${AS_IN_SNAPSHOT} AS definition
      FROM ${FROM_PROC}, LATERAL (SELECT pg_get_functiondef(p.oid) AS text, CASE p.prokind WHEN 'p' THEN '$procedure$' ELSE '$function$' END AS tag) d
      WHERE p.prokind <> 'a' AND ${OURS}`,
  },
  {
    sql: `SELECT 'aggregate' AS kind, ${SIGNATURE} AS name, concat_ws(' ', 'returns', format_type(p.prorettype, NULL),
        CASE g.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END,
        ${FUNCTION("aggtransfn", "sfunc")}, 'stype', format_type(g.aggtranstype, NULL), ${FUNCTION("aggfinalfn", "finalfunc")},
        ${FUNCTION("aggcombinefn", "combinefunc")}, ${FUNCTION("aggserialfn", "serialfunc")}, ${FUNCTION("aggdeserialfn", "deserialfunc")},
        ${FUNCTION("aggmtransfn", "msfunc")}, ${FUNCTION("aggminvtransfn", "minvfunc")}, ${FUNCTION("aggmfinalfn", "mfinalfunc")},
        'initcond ' || quote_literal(g.agginitval), 'minitcond ' || quote_literal(g.aggminitval),
        'sortop ' || nullif(g.aggsortop, 0)::regoperator::text, 'parallel', p.proparallel) AS definition
      FROM ${FROM_PROC} JOIN pg_aggregate g ON g.aggfnoid = p.oid WHERE ${OURS}`,
  },
  {
    sql: `SELECT 'event trigger' AS kind, quote_ident(e.evtname) AS name, concat_ws(' ', 'on', e.evtevent, 'execute', e.evtfoid::regprocedure,
        'when tag in (' || array_to_string(e.evttags, ', ') || ')',
        CASE e.evtenabled WHEN 'D' THEN 'DISABLED' WHEN 'R' THEN 'ENABLED ON REPLICA' WHEN 'A' THEN 'ENABLED ALWAYS' END) AS definition
      FROM pg_event_trigger e WHERE ${ofNoExtension("pg_event_trigger", "e.oid")}`,
  },
  {
    sql: `SELECT 'operator' AS kind, o.oid::regoperator::text AS name, concat_ws(' ', 'function', o.oprcode::regprocedure, 'returns', format_type(o.oprresult, NULL),
        'commutator ' || nullif(o.oprcom, 0)::regoperator::text, 'negator ' || nullif(o.oprnegate, 0)::regoperator::text,
        'restrict ' || nullif(o.oprrest, 0)::regproc::text, 'join ' || nullif(o.oprjoin, 0)::regproc::text,
        CASE WHEN o.oprcanmerge THEN 'merges' END, CASE WHEN o.oprcanhash THEN 'hashes' END) AS definition
      FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
      WHERE o.oprcode <> 0 AND ${USER_SCHEMA} AND ${ofNoExtension("pg_operator", "o.oid")}`,
  },
  {
    sql: `SELECT 'operator class' AS kind, format('%I.%I using %I', n.nspname, o.opcname, m.amname) AS name, concat_ws(' ',
        CASE WHEN o.opcdefault THEN 'default' END, 'for type', format_type(o.opcintype, NULL), 'family', quote_ident(f.opfname),
        'storage ' || format_type(nullif(o.opckeytype, 0), NULL)) AS definition
      FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_opfamily f ON f.oid = o.opcfamily
      WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_opclass", "o.oid")}`,
  },
  {
    sql: `SELECT 'operator family' AS kind, format('%I.%I using %I', n.nspname, f.opfname, m.amname) AS name, concat_ws('; ',
        (SELECT string_agg(format('operator %s %s', a.amopstrategy, a.amopopr::regoperator), ', ' ORDER BY a.amopstrategy, a.amopopr::regoperator::text COLLATE "C") FROM pg_amop a WHERE a.amopfamily = f.oid),
        (SELECT string_agg(format('function %s %s', r.amprocnum, r.amproc::regprocedure), ', ' ORDER BY r.amprocnum, r.amproc::regprocedure::text COLLATE "C") FROM pg_amproc r WHERE r.amprocfamily = f.oid)) AS definition
      FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
      WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_opfamily", "f.oid")}`,
  },
  {
    sql: `SELECT 'cast' AS kind, format('%s as %s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)) AS name, concat_ws(' ',
        CASE k.castmethod WHEN 'f' THEN 'function ' || k.castfunc::regprocedure::text WHEN 'i' THEN 'inout' ELSE 'binary' END,
        CASE k.castcontext WHEN 'a' THEN 'as assignment' WHEN 'i' THEN 'as implicit' END) AS definition
      FROM pg_cast k WHERE k.oid >= 16384 AND ${ofNoExtension("pg_cast", "k.oid")} AND ${OF_NO_TYPE("pg_cast", "k.oid")}`,
  },
  {
    sql: `SELECT 'conversion' AS kind, format('%I.%I', n.nspname, v.conname) AS name,
        format('%s to %s by %s', pg_encoding_to_char(v.conforencoding), pg_encoding_to_char(v.contoencoding), v.conproc) AS definition
      FROM pg_conversion v JOIN pg_namespace n ON n.oid = v.connamespace WHERE ${USER_SCHEMA} AND ${ofNoExtension("pg_conversion", "v.oid")}`,
  },
  {
    sql: `SELECT 'language' AS kind, quote_ident(l.lanname) AS name, concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'trusted' END, nullif(l.lanplcallfoid, 0)::regproc) AS definition
      FROM pg_language l WHERE l.oid >= 16384 AND ${ofNoExtension("pg_language", "l.oid")}`,
  },
  {
    sql: `SELECT 'access method' AS kind, quote_ident(m.amname) AS name, concat_ws(' ', m.amtype, m.amhandler) AS definition
      FROM pg_am m WHERE m.oid >= 16384 AND ${ofNoExtension("pg_am", "m.oid")}`,
  },
  {
    sql: `SELECT 'transform' AS kind, format('for %s language %I', format_type(t.trftype, NULL), l.lanname) AS name, concat_ws(' ', nullif(t.trffromsql, 0)::regprocedure, nullif(t.trftosql, 0)::regprocedure) AS definition
      FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE ${ofNoExtension("pg_transform", "t.oid")}`,
  },
];
