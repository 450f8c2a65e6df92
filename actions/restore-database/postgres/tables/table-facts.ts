import { quoteLiteral, type Session } from "../../../../shared/postgres/index.ts";

/** What has to be put aside while the contents of tables are replaced, and put back. */
export interface TableFacts {
  readonly foreignKeys: readonly ForeignKey[];
  readonly triggers: readonly Trigger[];
}

interface ForeignKey {
  /** The table that has it, as SQL names it. */
  readonly table: string;
  readonly name: string;
  readonly definition: string;
  readonly comment: string | null;
}

interface Trigger {
  readonly table: string;
  readonly name: string;
  /** As pg_trigger has it: O, R, A; those that are disabled are not listed. */
  readonly enabled: string;
}

function oids(tables: readonly string[]): string {
  const roots = tables.map((name) => `${quoteLiteral(name)}::regclass`).join(", ");
  return `(SELECT inh.relid::oid FROM unnest(ARRAY[${roots}]) r(root), pg_partition_tree(r.root) inh UNION SELECT unnest(ARRAY[${roots}])::oid)`;
}

/**
 * The foreign keys that point to tables or go out from them, and the triggers that would fire, of
 * their partitions too.
 *
 * @param tables as SQL names them.
 */
export async function factsOfTables(
  session: Session,
  tables: readonly string[],
): Promise<TableFacts> {
  const foreignKeys = await session.query<ForeignKey>(
    `SELECT c.conrelid::regclass::text AS "table", quote_ident(c.conname) AS name, pg_get_constraintdef(c.oid) AS definition,
            obj_description(c.oid, 'pg_constraint') AS comment
       FROM pg_constraint c
      WHERE c.contype = 'f' AND c.conparentid = 0 AND (c.conrelid IN ${oids(tables)} OR c.confrelid IN ${oids(tables)})
      ORDER BY 1, 2`,
  );
  const triggers = await session.query<Trigger>(
    `SELECT t.tgrelid::regclass::text AS "table", quote_ident(t.tgname) AS name, t.tgenabled AS enabled
       FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgrelid IN ${oids(tables)}
      ORDER BY t.tgparentid, 1, 2`,
  );
  return { foreignKeys, triggers };
}

/** The statements that put them aside. Pure. */
export function asideStatements({ foreignKeys, triggers }: TableFacts): readonly string[] {
  return [
    ...foreignKeys.map(({ table, name }) => `ALTER TABLE ${table} DROP CONSTRAINT ${name}`),
    ...triggers.map(({ table, name }) => `ALTER TABLE ${table} DISABLE TRIGGER ${name}`),
  ];
}

const WORDS: Readonly<Record<string, string>> = {
  O: "ENABLE",
  R: "ENABLE REPLICA",
  A: "ENABLE ALWAYS",
};

/** The statements that put them back: every key is checked then for the rows that are there. Pure. */
export function backStatements({ foreignKeys, triggers }: TableFacts): readonly string[] {
  return [
    ...triggers.map(
      ({ table, name, enabled }) =>
        `ALTER TABLE ${table} ${WORDS[enabled] ?? "ENABLE"} TRIGGER ${name}`,
    ),
    ...foreignKeys.flatMap(({ table, name, definition, comment }) => [
      `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition}`,
      ...(comment === null
        ? []
        : [`COMMENT ON CONSTRAINT ${name} ON ${table} IS ${quoteLiteral(comment)}`]),
    ]),
  ];
}

/** The statements that set the sequences of tables to where the backup has them. */
export async function sequenceStatements(
  session: Session,
  tables: readonly string[],
): Promise<readonly string[]> {
  const owned = await session.query<{ readonly name: string }>(
    `SELECT format('%I.%I', n.nspname, s.relname) AS name
       FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        AND d.refobjid IN ${oids(tables)} ORDER BY 1`,
  );
  const statements: string[] = [];
  for (const { name } of owned) {
    const [state] = await session.query<{ readonly last: string; readonly called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${name}`,
    );
    if (state === undefined) continue;
    statements.push(
      `SELECT pg_catalog.setval(${quoteLiteral(name)}, ${state.last}, ${state.called})`,
    );
  }
  return statements;
}
