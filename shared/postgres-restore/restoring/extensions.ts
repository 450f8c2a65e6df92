import {
  quoteIdentifier,
  quoteLiteral,
  quoteQualified,
  type Session,
  SqlFailed,
} from "../../postgres/index.ts";
import type { Finding, Tier } from "../../proof/index.ts";
import type { RestoreTarget } from "../target.ts";
import { EVERYONE } from "./roles.ts";

/** An extension that a dump wants. */
export interface WantedExtension {
  readonly name: string;
  readonly schema: string | undefined;
}

/**
 * Makes an extension in the administrator's name: its script comes from this server's own
 * installation and not from the dump, of which only the name and the schema are taken.
 *
 * @returns what is to be told where it cannot be had.
 */
export async function makeExtension(
  { name, schema }: WantedExtension,
  administrator: Session,
  target: RestoreTarget,
  tier: Tier,
): Promise<Finding | undefined> {
  const finding = (what: string): Finding => ({
    detector: "extension",
    tier,
    weight: "doubt",
    subject: `extension ${name}`,
    what,
  });
  const restorer = quoteIdentifier(target.role("restorer") ?? "");
  try {
    if (schema !== undefined && schema !== "pg_catalog")
      await makeSchema(schema, administrator, restorer);
    const within = schema === undefined ? "" : ` WITH SCHEMA ${quoteIdentifier(schema)}`;
    // Where none is named, it goes where a new database has its tables.
    if (schema === undefined) await administrator.run("SET search_path = public");
    await administrator.run(
      `CREATE EXTENSION IF NOT EXISTS ${quoteIdentifier(name)}${within} CASCADE`,
    );
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    return finding(
      `${target.name} does not have it (${error.said.replace(/\.$/, "")}), so that nothing that depends on it could be restored.`,
    );
  } finally {
    await administrator.run("SET search_path = pg_catalog");
  }
  await grantWrappers(administrator);
  await grantRows(name, administrator, restorer);
  return undefined;
}

/** What a dump holds of an extension's own tables is the rows that users wrote into them. */
async function grantRows(
  extension: string,
  administrator: Session,
  restorer: string,
): Promise<void> {
  const tables = await administrator.query<{ schema: string; name: string; kind: string }>(
    `SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_class c ON c.oid = ANY (e.extconfig) JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE e.extname = ${quoteLiteral(extension)}`,
  );
  for (const { schema, name, kind } of tables) {
    const what = kind === "S" ? "ALL ON SEQUENCE" : "SELECT, INSERT ON TABLE";
    await administrator.run(`GRANT ${what} ${quoteQualified(schema, name)} TO ${restorer}`);
    await administrator.run(`GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${restorer}`);
  }
}

/** Dumps have their schemas before their extensions; a dump of some tables may lack them. */
async function makeSchema(schema: string, administrator: Session, restorer: string): Promise<void> {
  const there = await administrator.query(
    `SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = ${quoteLiteral(schema)}`,
  );
  if (there.length > 0) return;
  await administrator.run(`CREATE SCHEMA ${quoteIdentifier(schema)} AUTHORIZATION ${restorer}`);
}

/** Foreign servers of the dump need its wrapper; with no network they lead nowhere. */
export async function grantWrappers(administrator: Session): Promise<void> {
  const wrappers = await administrator.query<{ fdwname: string }>(
    "SELECT fdwname FROM pg_catalog.pg_foreign_data_wrapper",
  );
  for (const { fdwname } of wrappers) {
    await administrator.run(
      `GRANT USAGE ON FOREIGN DATA WRAPPER ${quoteIdentifier(fdwname)} TO ${EVERYONE}`,
    );
  }
}

/** Whether amcheck can be had; it is made in a schema of its own, so that the dump's is not met. */
export async function makeAmcheck(
  administrator: Session,
  reader: string,
): Promise<string | undefined> {
  const schema = "sw_amcheck";
  try {
    const [there] = await administrator.query<{ schema: string }>(
      "SELECT n.nspname AS schema FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'",
    );
    if (there === undefined) {
      await administrator.run(`CREATE SCHEMA ${schema}`);
      await administrator.run(`CREATE EXTENSION amcheck WITH SCHEMA ${schema}`);
    }
    const within = there?.schema ?? schema;
    const functions = await administrator.query<{ signature: string; name: string }>(
      `SELECT pg_catalog.pg_get_function_identity_arguments(p.oid) AS signature, p.proname AS name FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e' AND d.refobjid = (SELECT oid FROM pg_catalog.pg_extension WHERE extname = 'amcheck')`,
    );
    await administrator.run(
      `GRANT USAGE ON SCHEMA ${quoteIdentifier(within)} TO ${quoteIdentifier(reader)}`,
    );
    for (const { name, signature } of functions) {
      const called = `${quoteQualified(within, name)}(${argumentTypes(signature)})`;
      await administrator.run(`GRANT EXECUTE ON FUNCTION ${called} TO ${quoteIdentifier(reader)}`);
    }
    return within;
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    return undefined;
  }
}

/** GRANT takes names and defaults of arguments, but none of those that are only given back. */
function argumentTypes(signature: string): string {
  return signature
    .split(", ")
    .filter((argument) => !argument.startsWith("OUT "))
    .join(", ");
}
