import { quoteIdentifier, quoteLiteral, type Session, SqlFailed } from "../../postgres/index.ts";
import type { Finding } from "../../proof/index.ts";
import { makeAmcheck } from "../restoring/extensions.ts";
import type { ThrowAwayServer } from "../throw-away.ts";

interface Relation {
  readonly oid: number;
  readonly name: string;
  readonly kind: "table" | "index";
  /** Of an index: whether every row of its table is looked for in it. */
  readonly rows: boolean;
}

const AT_ONCE = 2;
/**
 * Greater indexes on plain columns are checked for their own structure and order only. They were
 * built from the table a moment ago, and looking for every row in them costs a third of building them.
 */
const SMALL_INDEX_BYTES = 16 * 1024 * 1024;

/**
 * Has the server check every B-tree index, small ones and those on expressions against their tables
 * too, and every table's own pages, by the extension amcheck; and tells what the catalog itself calls not valid.
 *
 * @returns findings, and what could not be checked.
 */
export async function checkStructures(
  server: ThrowAwayServer,
  database: string,
): Promise<{ readonly findings: readonly Finding[]; readonly unknown: readonly string[] }> {
  await using administrator = await server.session(database, "administrator");
  await silenceEventTriggers(administrator);
  const within = await makeAmcheck(administrator, server.role("reader") ?? "");
  await using reader = await server.session(database, "reader");
  const invalid = await notValid(reader);
  if (within === undefined) {
    return {
      findings: invalid,
      unknown: [
        `The extension amcheck is not there for ${server.name}, so that no index was held against its table.`,
      ],
    };
  }
  await using other = await server.session(database, "reader");
  const relations = await reader.query<Relation>(RELATIONS);
  const findings: Finding[] = [];
  const worker = async (session: Session) => {
    for (let next = relations.pop(); next !== undefined; next = relations.pop()) {
      findings.push(...(await check(session, quoteIdentifier(within), next)));
    }
  };
  await Promise.all([reader, other].slice(0, AT_ONCE).map(worker));
  return { findings: [...invalid, ...findings], unknown: [] };
}

/** What a dump restored is not to act on what the administrator does from here on. */
async function silenceEventTriggers(administrator: Session): Promise<void> {
  const triggers = await administrator.query<{ evtname: string }>(
    "SELECT evtname FROM pg_catalog.pg_event_trigger",
  );
  for (const { evtname } of triggers) {
    await administrator.run(`DROP EVENT TRIGGER ${quoteIdentifier(evtname)}`);
  }
}

/** The largest last, for they are taken from the end. */
const RELATIONS = `
  SELECT c.oid::int8 AS oid, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
         CASE WHEN c.relkind = 'i' THEN 'index' ELSE 'table' END AS kind,
         -- What expressions and conditions give may be another value at each call.
         coalesce(i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
           OR pg_catalog.pg_relation_size(c.oid) <= ${SMALL_INDEX_BYTES}, false) AS rows
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast)'
    AND c.relpersistence = 'p'
    AND ((c.relkind = 'i' AND a.amname = 'btree' AND i.indisvalid AND i.indisready)
         OR (c.relkind IN ('r', 'm') AND a.amname = 'heap'))
  ORDER BY pg_catalog.pg_relation_size(c.oid)`;

async function check(session: Session, schema: string, relation: Relation): Promise<Finding[]> {
  const { oid, name, kind, rows: withRows } = relation;
  const sql =
    kind === "index"
      ? `SELECT ${schema}.bt_index_check(${oid}::pg_catalog.oid::pg_catalog.regclass, ${withRows})::pg_catalog.text AS msg`
      : `SELECT msg FROM ${schema}.verify_heapam(${oid}::pg_catalog.oid::pg_catalog.regclass) LIMIT 3`;
  try {
    const rows = await session.query<{ msg: string }>(sql);
    return kind === "index" ? [] : rows.map(({ msg }) => broken(relation, msg));
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    // Of an index on an expression, it may be the dump's own function that fails.
    return [broken({ ...relation, name }, error.said)];
  }
}

function broken({ kind, name }: Relation, said: string): Finding {
  return {
    detector: "amcheck",
    tier: "full",
    weight: "damage",
    subject: `${kind} ${name}`,
    what: `amcheck found it broken after the restore: ${said.replace(/\.$/, "")}.`,
  };
}

async function notValid(session: Session): Promise<readonly Finding[]> {
  const rows = await session.query<{ subject: string; what: string }>(`
    SELECT 'index ' || pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS subject,
           'It is not valid after the restore.' AS what
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = ${quoteLiteral("i")}`);
  return rows.map(({ subject, what }) => ({
    detector: "index",
    tier: "full",
    weight: "damage",
    subject,
    what,
  }));
}
