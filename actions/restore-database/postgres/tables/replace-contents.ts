import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../../../shared/failure/index.ts";
import type { Running } from "../../../../shared/place/index.ts";
import { environmentOf } from "../../../../shared/postgres/index.ts";
import type { Options } from "../../inputs.ts";
import type { TargetServer } from "../server.ts";
import type { ChosenTable } from "./chosen-tables.ts";

/** What is done to the real database, in this order, in one transaction. */
export interface Replacement {
  /** Where the contents come from: a database beside the real one. */
  readonly from: string;
  readonly tables: readonly ChosenTable[];
  /** Of these, the ones that the real database does not have, with their partitions. */
  readonly missing: readonly { readonly schema: string; readonly table: string }[];
  readonly missingNames: ReadonlySet<string>;
  readonly aside: readonly string[];
  readonly back: readonly string[];
}

/** Whoever uses the tables meanwhile is waited for so long. */
const LOCK_TIMEOUT = "60s";

/**
 * Replaces the contents of tables in one transaction: all of it comes to be, or nothing.
 *
 * @throws {UserError} with the server's words where it refused something; nothing was changed then.
 */
export async function replaceContents(
  server: TargetServer,
  replacement: Replacement,
  options: Pick<Options, "owners">,
  signal: AbortSignal,
): Promise<void> {
  const connection = await server.connectionTo(server.database);
  const strict = ["-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null"];
  const target = await server.place.start(
    {
      program: server.clients.psql,
      args: [...strict, "-d", connection.conninfo],
      environment: environmentOf(connection),
      input: true,
    },
    signal,
  );
  target.stdout.resume();
  const pen = new Pen(target.stdin);
  try {
    await script(pen, server, replacement, options, signal);
    target.stdin.end();
  } catch (error) {
    // Without its end the transaction is rolled back; why psql went tells more than a closed pipe.
    target.end();
    const { stderr } = await target.ended;
    signal.throwIfAborted();
    if (stderr.includes("ERROR:")) throw refused(server.database, stderr);
    throw error;
  }
  const { exitCode, message, stderr } = await target.ended;
  signal.throwIfAborted();
  if (exitCode !== 0) throw refused(server.database, stderr || message);
}

async function script(
  pen: Pen,
  server: TargetServer,
  replacement: Replacement,
  { owners }: Pick<Options, "owners">,
  signal: AbortSignal,
): Promise<void> {
  const { from, tables, missing, missingNames, aside, back } = replacement;
  const left = owners === "leave" ? ["--no-owner", "--no-privileges"] : [];
  const definitions = (section: string) =>
    output(server, from, {
      program: server.clients.pgDump,
      args: [
        ...["--schema-only", `--section=${section}`, ...left],
        ...missing.map(({ schema, table }) => `--table=${pattern(schema)}.${pattern(table)}`),
      ],
    });
  await pen.say("BEGIN", `SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`, "SET search_path = ''");
  await pen.say("SET row_security = off");
  const there = tables.filter(({ name }) => !missingNames.has(name));
  for (const { name } of there) await pen.say(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  await pen.say(...aside);
  for (const schema of new Set(missing.map((each) => each.schema))) {
    await pen.say(`CREATE SCHEMA IF NOT EXISTS ${pattern(schema)}`);
  }
  if (missing.length > 0) await pen.copySql(await definitions("pre-data"), signal);
  for (const { name, isPartitioned } of there) {
    await pen.say(`TRUNCATE ${isPartitioned ? "" : "ONLY "}${name}`);
  }
  for (const table of tables) {
    const columns = table.columns.filter(({ isGenerated }) => !isGenerated);
    const names = columns.map(({ name }) => name).join(", ");
    const only = table.isPartitioned ? "" : "ONLY ";
    const sql = `COPY (SELECT ${names} FROM ${only}${table.name}) TO STDOUT`;
    const rows = await output(server, from, {
      program: server.clients.psql,
      args: ["-XqAtw", "-c", sql],
    });
    await pen.say(`COPY ${table.name} (${names}) FROM STDIN`);
    await pen.copyRows(rows, signal);
  }
  if (missing.length > 0) await pen.copySql(await definitions("post-data"), signal);
  await pen.say(...back, "COMMIT");
}

/** A name as pg_dump's patterns and SQL both take it. */
function pattern(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

async function output(
  { place, connectionTo }: TargetServer,
  database: string,
  { program, args }: { readonly program: string; readonly args: readonly string[] },
): Promise<Running> {
  const connection = await connectionTo(database);
  return await place.start(
    {
      program,
      args: [...args, "-d", connection.conninfo || "dbname="],
      environment: environmentOf(connection),
    },
    new AbortController().signal,
  );
}

/** Writes a script to psql, and waits where it does not keep up. */
class Pen {
  readonly #to: Writable;

  constructor(to: Writable) {
    this.#to = to;
    // How psql ended tells why.
    to.on("error", () => {});
  }

  async say(...statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#write(`${statement};\n`);
  }

  async copyRows(rows: Running, signal: AbortSignal): Promise<void> {
    await this.#all(rows, signal);
    await this.#write("\\.\n");
  }

  /** Older servers do not know what newer programs set. */
  async copySql(sql: Running, signal: AbortSignal): Promise<void> {
    let text = "";
    for await (const chunk of sql.stdout) text += String(chunk);
    await requireEnd(sql, signal);
    await this.#write(
      text.replace(
        /^(?:SET transaction_timeout = 0;|\\(?:un)?restrict \w+|SELECT pg_catalog\.set_config\('search_path'.*)$/gm,
        "",
      ),
    );
  }

  async #all(from: Running, signal: AbortSignal): Promise<void> {
    const stop = () => from.end();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await pipeline(from.stdout as Readable, this.#to, { end: false, signal });
      await requireEnd(from, signal);
    } catch (error) {
      from.end();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  async #write(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#to.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function requireEnd(running: Running, signal: AbortSignal): Promise<void> {
  const { exitCode, message, stderr } = await running.ended;
  signal.throwIfAborted();
  if (exitCode === 0) return;
  throw new UserError({
    title: "What was restored could not be read",
    cause: `${message}: ${stderr.trim().split("\n").at(-1) ?? ""}`,
    remedy: "See the server's log, and run again. Nothing was changed.",
    evidence: stderr,
  });
}

function refused(database: string, stderr: string): UserError {
  const error = /ERROR:\s+(.*)/.exec(stderr)?.[1] ?? stderr.trim().split("\n").at(-1) ?? "";
  const detail = /DETAIL:\s+(.*)/.exec(stderr)?.[1];
  return new UserError({
    title: "The contents of the tables could not be replaced",
    cause: `${database} refused it: ${error.replace(/\.$/, "")}${detail === undefined ? "" : `. ${detail.replace(/\.$/, "")}`}.`,
    remedy: remedyOf(stderr),
    evidence: stderr.slice(0, 4_000),
  });
}

function remedyOf(stderr: string): string {
  const unchanged = "It was one transaction: nothing was changed.";
  if (/violates foreign key/.test(stderr)) {
    return `${unchanged} Other tables hold rows that belong to rows which the backup does not have, or the other way round: name these tables too.`;
  }
  if (/lock timeout/.test(stderr)) {
    return `${unchanged} Somebody holds the tables: stop who uses them, and run again.`;
  }
  if (/must be owner|permission denied/.test(stderr)) {
    return `${unchanged} Connect as the tables' owner or a superuser.`;
  }
  return `${unchanged} Put right what it says, and run again.`;
}
