import { UserError } from "../../../../shared/failure/index.ts";
import { quoteLiteral, type Session } from "../../../../shared/postgres/index.ts";
import {
  compareFingerprints,
  type Named,
  type PostgresFingerprint,
  takeFingerprint,
} from "../../../../shared/postgres-fingerprint/index.ts";
import type { Options } from "../../inputs.ts";
import type { Means, Restored } from "../../restored.ts";
import { backUpDatabase } from "../backup-before.ts";
import { clearLeftOvers, discard, restoreBeside } from "../beside.ts";
import { propertiesOf } from "../databases.ts";
import { nameBeside } from "../names.ts";
import type { Proof } from "../proof.ts";
import type { Restore } from "../restore.ts";
import type { TargetServer } from "../server.ts";
import { type ChosenTable, chosenTables, columnDifference, tablesOf } from "./chosen-tables.ts";
import { type Replacement, replaceContents } from "./replace-contents.ts";
import {
  asideStatements,
  backStatements,
  factsOfTables,
  sequenceStatements,
} from "./table-facts.ts";

/**
 * Restores the whole dump into a database beside the real one and proves it; then the contents of
 * the tables that were asked for take the place of those in the real one, in one transaction, and are
 * read and compared again.
 */
export async function restoreTables(
  restore: Restore,
  asked: readonly string[],
  means: Means,
): Promise<Restored> {
  const { dump, server, session } = restore;
  const { database } = server;
  const former = await propertiesOf(session, database);
  if (former === undefined) throw noDatabase(database);
  requireKnown(restore, asked);
  await clearLeftOvers(restore, means);
  const restored = nameBeside(database, "restoring", dump.id);
  const proof = await restoreBeside(restore, restored, former, means);
  const target = `tables ${asked.join(", ")} of database ${database}`;
  const words = { target, unit: "rows", previousDatabase: undefined };
  if (proof.isDamaged) {
    return {
      ...words,
      ...outcomeOf(proof),
      previousBackup: undefined,
      isSwitched: false,
      isTouched: false,
    };
  }
  try {
    return { ...words, ...(await replace(restore, { restored, asked, proof }, means)) };
  } finally {
    await discard(server, restored, means);
  }
}

function outcomeOf({ findings, items, unknown, seconds }: Proof) {
  return { findings, items, unknown, restoreSeconds: seconds };
}

interface Work {
  readonly restored: string;
  readonly asked: readonly string[];
  readonly proof: Proof;
}

async function replace(
  restore: Restore,
  { restored, asked, proof }: Work,
  means: Means,
): Promise<Omit<Restored, "target" | "unit" | "previousDatabase">> {
  const { server } = restore;
  const { options, world, journal } = means;
  const { replacement, leaves } = await plan(restore, restored, asked);
  const previousBackup =
    replacement.missing.length === replacement.tables.length
      ? undefined
      : await journal.phase("back up before", () => backUpDatabase(server, means));
  await journal.phase("replace", () => replaceContents(server, replacement, options, world.signal));
  const compared = await journal.phase("compare tables", async () => {
    // Without a fingerprint, the database beside is what the contents were taken from.
    const known = restore.fingerprint ?? (await fingerprintOf(restore, restored, leaves, means));
    return compare(known, await fingerprintOf(restore, server.database, leaves, means), leaves);
  });
  const isDamaged = compared.findings.some(({ weight }) => weight === "damage");
  return {
    findings: [...proof.findings.filter(({ weight }) => weight !== "note"), ...compared.findings],
    items: compared.items,
    unknown: [
      ...compared.unknown,
      "Materialized views, and whatever else was worked out from these tables, were not made anew.",
    ],
    ...{ restoreSeconds: proof.seconds, previousBackup, isSwitched: !isDamaged, isTouched: true },
  };
}

/** Everything that has to be known before the transaction begins. */
async function plan({ server }: Restore, restored: string, asked: readonly string[]) {
  await using beside = await server.open(restored);
  await using real = await server.open(server.database);
  const tables = chosenTables(await tablesOf(beside), asked);
  const there = await tablesOf(real);
  const missing = tables.filter(({ name }) => !there.has(name));
  for (const table of tables) requireLike(table, there.get(table.name));
  const present = tables.filter((table) => !missing.includes(table)).map(({ name }) => name);
  const names = tables.map(({ name }) => name);
  const facts =
    present.length === 0 ? { foreignKeys: [], triggers: [] } : await factsOfTables(real, present);
  const trees = await treeOf(
    beside,
    missing.map(({ name }) => name),
  );
  const replacement: Replacement = {
    from: restored,
    ...{ tables, missing: trees, missingNames: new Set(missing.map(({ name }) => name)) },
    aside: asideStatements(facts),
    back: [...(await sequenceStatements(beside, names)), ...backStatements(facts)],
  };
  const leaves = (await treeOf(beside, names)).filter(({ leaf }) => leaf);
  return { replacement, leaves };
}

interface TreeRow extends Named {
  readonly table: string;
  /** As SQL names it. */
  readonly qualified: string;
  readonly leaf: boolean;
}

/** Tables and their partitions. */
async function treeOf(session: Session, names: readonly string[]): Promise<readonly TreeRow[]> {
  if (names.length === 0) return [];
  const roots = names.map((name) => `${quoteLiteral(name)}::regclass`).join(", ");
  return await session.query<TreeRow>(
    `SELECT DISTINCT n.nspname AS schema, c.relname AS "table", c.relname AS name, c.relkind <> 'p' AS leaf,
            format('%I.%I', n.nspname, c.relname) AS qualified
       FROM (SELECT unnest(ARRAY[${roots}])::oid AS relid
             UNION SELECT p.relid FROM unnest(ARRAY[${roots}]) r(root), pg_partition_tree(r.root) p) t
       JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace`,
  );
}

function requireLike(
  table: ChosenTable,
  found: { readonly kind: string; readonly columns: ChosenTable["columns"] | null } | undefined,
): void {
  if (found === undefined) return;
  const kind = table.isPartitioned ? "p" : "r";
  const difference =
    found.kind === kind
      ? columnDifference(table.columns, found.columns ?? [])
      : "one is a table of another kind than the other";
  if (difference === undefined) return;
  throw new UserError({
    title: "A table of the target is not what it was",
    cause: `${table.name}: ${difference}.`,
    remedy:
      "Make the two alike, or restore the whole backup into another database and take from it what is needed. Nothing was changed.",
  });
}

async function fingerprintOf(
  { server, fingerprint }: Restore,
  database: string,
  leaves: readonly Named[],
  { options, world }: Means,
): Promise<PostgresFingerprint> {
  const first = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"];
  return await takeFingerprint(
    { open: () => server.open(database, first) },
    {
      ...{ parallel: options.jobs, like: fingerprint, signal: world.signal },
      includedOnly: leaves.map(({ schema, name }) => ({ schema, name })),
    },
  );
}

/** Only the rows of the tables: what is around them is as it was at the target. */
function compare(
  expected: PostgresFingerprint,
  found: PostgresFingerprint,
  leaves: readonly TreeRow[],
) {
  const names = new Set(leaves.map(({ qualified }) => qualified));
  const rowsOf = (of: PostgresFingerprint): PostgresFingerprint => ({
    ...of,
    ...{ database: expected.database, catalog: {}, sequences: {} },
    largeObjects: expected.largeObjects,
    tables: Object.fromEntries(Object.entries(of.tables).filter(([name]) => names.has(name))),
  });
  return compareFingerprints(rowsOf(expected), rowsOf(found), { tier: "full" });
}

/** What a backup's fingerprint does not have is told before hours are spent on a restore. */
function requireKnown({ fingerprint }: Restore, asked: readonly string[]): void {
  if (fingerprint === undefined) return;
  const tables = Object.keys(fingerprint.catalog.table ?? {});
  const known = new Set(tables.flatMap((name) => [name, name.replaceAll('"', "")]));
  for (const name of asked) {
    if (known.has(name) || known.has(`public.${name}`)) {
      const content = fingerprint.tables[name] ?? fingerprint.tables[`public.${name}`];
      if (content?.unread !== "excluded") continue;
      throw new UserError({
        title: "The backup has no rows of a table",
        cause: `The rows of ${name} were left out of the backup by intent.`,
        remedy: "Take it out of tables, or give a backup that has them. Nothing was changed.",
      });
    }
    const bare = (name.split(".").at(-1) ?? name).toLowerCase().replaceAll('"', "");
    const alike = tables.find((each) =>
      each.toLowerCase().replaceAll('"', "").endsWith(`.${bare}`),
    );
    throw new UserError({
      title: "The backup has no such table",
      cause: `${name} is not among the ${tables.length} tables of the backup.`,
      remedy: `${alike === undefined ? "See the tables in the backup's report" : `There is ${alike}`}. Nothing was changed.`,
    });
  }
}

/**
 * Holds that the real database may be changed.
 *
 * @throws {UserError} where there is none, or a table holds rows and the database's name was not typed.
 */
export async function requireTyped(
  server: TargetServer,
  maintenance: Session,
  asked: readonly string[],
  options: Pick<Options, "replace">,
): Promise<void> {
  const former = await propertiesOf(maintenance, server.database);
  if (former === undefined) throw noDatabase(server.database);
  if (options.replace === server.database) return;
  await using session = await server.open(server.database);
  const there = await tablesOf(session);
  for (const name of asked) {
    const table = there.get(name) ?? there.get(`public.${name}`);
    if (table === undefined || !(table.kind === "r" || table.kind === "p")) continue;
    const [row] = await session.query<{ readonly some: boolean }>(
      `SELECT EXISTS (SELECT FROM ${table.name}) AS some`,
    );
    if (row?.some !== true) continue;
    throw new UserError({
      title: "The target is not empty",
      cause: `Table ${table.name} of ${server.database} holds rows, and replace is not given.`,
      remedy: `Give replace: ${server.database} to replace the contents of ${asked.join(", ")}; the database is backed up before. Nothing was changed.`,
    });
  }
}

function noDatabase(database: string): UserError {
  return new UserError({
    title: "There is no such database",
    cause: `The server has no database ${database} whose tables could be restored.`,
    remedy: "Give the name of one, or leave out tables to restore the whole. Nothing was changed.",
  });
}
