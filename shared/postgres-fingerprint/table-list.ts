import { quoteLiteral } from "../postgres/index.ts";
import { MEMBERS, USER_SCHEMA } from "./catalog/entries.ts";
import type { HashedColumn } from "./row-hash.ts";
import type { Reader } from "./sessions.ts";

/** A table with rows of its own. */
export interface ListedTable {
  readonly schema: string;
  readonly name: string;
  /** Quoted where need be, for messages and as the fingerprint's key. */
  readonly qualified: string;
  readonly kind: "table" | "materialized view";
  readonly unlogged: boolean;
  readonly populated: boolean;
  /** Pages of its main file. */
  readonly pages: number;
  /** On disk, with what is stored out of line, without indexes. */
  readonly bytes: number;
  readonly columns: readonly HashedColumn[];
  /** The first column of its primary key, or of another unique key without NULLs. */
  readonly key: KeyColumn | null;
  /** The extension that it belongs to, and has marked it as holding rows of users. */
  readonly extension: string | null;
  /** `WHERE …`: which of the rows are users', where not all of them are. */
  readonly condition: string | null;
}

export interface KeyColumn {
  readonly name: string;
  readonly type: string;
}

/** Types of keys whose order is the same everywhere, text in that of its bytes. */
const KEY_TYPES = [
  "int2",
  "int4",
  "int8",
  "numeric",
  "text",
  "varchar",
  "uuid",
  "date",
  "timestamp",
  "timestamptz",
];

/** Columns of a type that cannot be compared are generated: what they are made of is hashed. */
const COLUMNS = `
  SELECT a.attrelid, json_agg(json_build_object('name', a.attname, 'type', coalesce(b.base, t.typname),
    'builtIn', coalesce(b.built_in, t.typnamespace = 'pg_catalog'::regnamespace))
    ORDER BY a.attname COLLATE "C") AS columns
  FROM pg_attribute a
  JOIN pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'm')
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN bases b ON b.oid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  GROUP BY a.attrelid`;

/** What domains are made of in the end, also domains of domains. */
const BASES = `
  SELECT oid, typname AS base, typnamespace = 'pg_catalog'::regnamespace AS built_in
  FROM pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT d.oid, b.base, b.built_in FROM pg_type d JOIN bases b ON b.oid = d.typbasetype
  WHERE d.typtype = 'd'`;

const KEYS = `
  SELECT DISTINCT ON (i.indrelid) i.indrelid, json_build_object('name', a.attname, 'type', b.base) AS key
  FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  JOIN bases b ON b.oid = a.atttypid
  WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND a.attnotnull
    AND b.built_in AND b.base IN (${KEY_TYPES.map(quoteLiteral).join(", ")})
  ORDER BY i.indrelid, i.indisprimary DESC, i.indnatts, i.indexrelid`;

/** What extensions have marked by pg_extension_config_dump, for a query with pg_class as c. */
const CONFIGURED = `
  SELECT e.extname, m.oid, nullif(trim(m.condition), '') AS condition
  FROM pg_extension e, unnest(e.extconfig, e.extcondition) AS m (oid, condition)`;

/**
 * All tables of the database's users that have rows of their own. Of an extension's, those which are
 * dumped: their definitions come with the extension, their rows do not.
 */
export async function listTables(reader: Reader): Promise<readonly ListedTable[]> {
  return await reader.query<ListedTable>(`
    WITH RECURSIVE bases AS (${BASES}), columns AS (${COLUMNS}), keys AS (${KEYS}), configured AS (${CONFIGURED}), ${MEMBERS}
    SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS qualified,
      CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
      c.relpersistence = 'u' AS unlogged, c.relispopulated AS populated,
      pg_relation_size(c.oid) / current_setting('block_size')::int AS pages,
      pg_table_size(c.oid) AS bytes, coalesce(l.columns, '[]') AS columns, k.key,
      x.extname AS extension, x.condition
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN columns l ON l.attrelid = c.oid
    LEFT JOIN keys k ON k.indrelid = c.oid
    LEFT JOIN configured x ON x.oid = c.oid
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND ${USER_SCHEMA}
      AND (x.oid IS NOT NULL OR NOT EXISTS (SELECT FROM members m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid))
    ORDER BY 3`);
}
