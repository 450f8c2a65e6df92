import { quoteLiteral, type Session } from "../../../../shared/postgres/index.ts";
import type { Finding, Item } from "../../../../shared/proof/index.ts";
import type { Proof, Prover } from "../proof.ts";
import { seriousComplaints } from "./complaints.ts";
import type { DumpContents, Made, SequenceSet } from "./contents.ts";

/** So many are asked for at once. */
const BATCH = 1_000;
const TOLD = 12;

/**
 * Holds a restored database to what its dump says of itself, where there is no fingerprint: every
 * thing that it makes by its name, rows by their number, sequences by where they stand.
 */
export function proverByContents(contents: DumpContents): Prover {
  return async (server, database, loaded) => {
    await using session = await server.open(database, [
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    ]);
    const { items, findings: ofRows } = await compareRows(session, contents);
    const findings = [
      ...complaintsOf(loaded.complaints),
      ...(await missingOf(session, contents.made)),
      ...ofRows,
      ...(await sequencesOf(session, contents.sequences)),
      ...(await invalidOf(session)),
    ];
    return {
      ...{ findings, items, unknown: unknownOf(contents), seconds: loaded.seconds },
      isDamaged: findings.some(({ weight }) => weight === "damage"),
    } satisfies Proof;
  };
}

function damage(detector: string, subject: string, what: string): Finding {
  return { detector, tier: "full", weight: "damage", subject, what };
}

function unknownOf({ made, rows }: DumpContents): readonly string[] {
  const less =
    "There is no fingerprint of the source. Whether the dump had everything, and whether values are as they were there, cannot be known.";
  const how =
    made.length === 0
      ? `Only the number of rows of ${rows.size} tables was held against the dump, for its text does not tell what else it makes.`
      : `What was restored was held against the dump itself: ${made.length} entries by their names, and the rows of ${rows.size} tables by their number.`;
  return [less, how];
}

function complaintsOf(complaints: string): readonly Finding[] {
  if (complaints === "") return [];
  const serious = seriousComplaints(complaints);
  if (serious.length === 0) {
    const what = `The restore complained: ${complaints.split("\n").slice(0, 5).join(" ").slice(0, 1_000)}`;
    return [{ ...damage("restore", "dump", what), weight: "note" }];
  }
  return serious
    .slice(0, TOLD)
    .map((line) =>
      damage("restore", "dump", `The server refused a part of it: ${line.slice(0, 500)}`),
    );
}

/** The names of catalogs by kinds: each a condition over `w`, what is wanted. */
const THERE: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE", "INDEX"].map((kind) => [
      kind,
      "EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = s.oid AND c.relname = w.name)",
    ]),
  ),
  ...Object.fromEntries(
    ["CONSTRAINT", "FK CONSTRAINT", "CHECK CONSTRAINT"].map((kind) => [
      kind,
      "EXISTS (SELECT FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid WHERE k.connamespace = s.oid AND concat_ws(' ', c.relname, k.conname) = w.name)",
    ]),
  ),
  TRIGGER:
    "EXISTS (SELECT FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace = s.oid AND c.relname || ' ' || t.tgname = w.name)",
  POLICY:
    "EXISTS (SELECT FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = s.oid AND c.relname || ' ' || p.polname = w.name)",
  RULE: "EXISTS (SELECT FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = s.oid AND c.relname || ' ' || r.rulename = w.name)",
  DEFAULT:
    "EXISTS (SELECT FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.adnum WHERE c.relnamespace = s.oid AND c.relname || ' ' || a.attname = w.name)",
  ...Object.fromEntries(
    ["FUNCTION", "PROCEDURE", "AGGREGATE"].map((kind) => [
      kind,
      "EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = s.oid AND starts_with(w.name, p.proname || '('))",
    ]),
  ),
  ...Object.fromEntries(
    ["TYPE", "DOMAIN"].map((kind) => [
      kind,
      "EXISTS (SELECT FROM pg_type t WHERE t.typnamespace = s.oid AND t.typname = w.name)",
    ]),
  ),
  SCHEMA: "EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = w.name)",
  EXTENSION: "EXISTS (SELECT FROM pg_extension e WHERE e.extname = w.name)",
};

async function missingOf(session: Session, made: readonly Made[]): Promise<readonly Finding[]> {
  const asked = made.filter(({ kind }) => Object.hasOwn(THERE, kind));
  const missing: Made[] = [];
  const cases = Object.entries(THERE).map(
    ([kind, there]) => `WHEN ${quoteLiteral(kind)} THEN ${there}`,
  );
  for (let at = 0; at < asked.length; at += BATCH) {
    const wanted = quoteLiteral(JSON.stringify(asked.slice(at, at + BATCH)));
    missing.push(
      ...(await session.query<Made>(
        `SELECT w.kind, w.schema, w.name FROM json_to_recordset(${wanted}::json) AS w(kind text, schema text, name text)
           LEFT JOIN pg_namespace s ON s.nspname = w.schema
          WHERE NOT CASE w.kind ${cases.join(" ")} ELSE true END ORDER BY 1, 2, 3`,
      )),
    );
  }
  return few(
    missing.map(({ kind, schema, name }) =>
      damage(
        "catalog",
        `${kind.toLowerCase()} ${schema === "" ? "" : `${schema}.`}${name}`,
        "The dump makes it, and it is not there.",
      ),
    ),
  );
}

interface Counted {
  readonly name: string;
  readonly kind: string | null;
}

async function compareRows(
  session: Session,
  { rows }: DumpContents,
): Promise<{ readonly items: readonly Item[]; readonly findings: readonly Finding[] }> {
  const items: Item[] = [];
  const findings: Finding[] = [];
  for (const [name, expected] of rows) {
    const found = await countOf(session, name);
    items.push({ name, expected, found, same: found === expected });
    if (found === expected) continue;
    const what =
      found === undefined
        ? `The dump holds ${expected} rows of it, and it is not there.`
        : `The dump holds ${expected} rows of it, and ${found} are there.`;
    findings.push({
      ...damage("rows", `table ${name}`, what),
      ...{ expected: `${expected} rows`, found: found === undefined ? "none" : `${found} rows` },
    });
  }
  return { items, findings: few(findings) };
}

async function countOf(session: Session, name: string): Promise<number | undefined> {
  const [table] = await session.query<Counted>(
    `SELECT ${quoteLiteral(name)} AS name, (SELECT relkind FROM pg_class WHERE oid = to_regclass(${quoteLiteral(name)})) AS kind`,
  );
  if (table?.kind == null) return undefined;
  // The rows of those that inherit from it are theirs; a partitioned table has none of its own.
  const only = table.kind === "p" ? "" : "ONLY ";
  const [row] = await session.query<{ readonly count: string }>(
    `SELECT count(*)::text AS count FROM ${only}${name}`,
  );
  return Number(row?.count ?? 0);
}

async function sequencesOf(
  session: Session,
  sequences: readonly SequenceSet[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { sequence, last, called } of sequences) {
    const [there] = await session.query<{ readonly there: boolean }>(
      `SELECT to_regclass(${quoteLiteral(sequence)}) IS NOT NULL AS there`,
    );
    if (there?.there !== true) continue;
    const [state] = await session.query<{ readonly last: string; readonly called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${sequence}`,
    );
    if (state?.last === last && state.called === called) continue;
    findings.push({
      ...damage("sequences", `sequence ${sequence}`, "It does not stand where the dump sets it."),
      ...{ expected: last, found: state?.last },
    });
  }
  return few(findings);
}

async function invalidOf(session: Session): Promise<readonly Finding[]> {
  const rows = await session.query<{ readonly name: string }>(
    "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid ORDER BY 1",
  );
  return few(rows.map(({ name }) => damage("catalog", `index ${name}`, "It is not valid.")));
}

function few(findings: readonly Finding[]): readonly Finding[] {
  const [first] = findings;
  if (first === undefined || findings.length <= TOLD) return findings;
  const more = `There are ${findings.length - TOLD} more findings of this kind.`;
  return [...findings.slice(0, TOLD), damage(first.detector, "dump", more)];
}
