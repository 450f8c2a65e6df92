import { Readable } from "node:stream";
import { openSession, type Session, SqlFailed } from "../../postgres/index.ts";
import type { Finding } from "../../proof/index.ts";
import type { World } from "../../world/index.ts";
import type { Dump } from "../dump/dump.ts";
import { extensionOf, isHarmlessPrivilege, rolesIn } from "../dump/grammar.ts";
import { StatementReader, statementsIn, utf8 } from "../dump/statements.ts";
import type { RestoreTarget } from "../target.ts";
import { grantWrappers, makeExtension, type WantedExtension } from "./extensions.ts";
import { readBy, restoreBy } from "./pg-restore.ts";
import type { Refusals } from "./refusals.ts";
import type { Phases, RestoreOptions } from "./report.ts";
import { kindOfEntry, type RestoreOutput, subjectOfEntry } from "./restore-output.ts";
import type { DumpRoles } from "./roles.ts";

/** What a dump is restored with. */
export interface Restoring {
  readonly target: RestoreTarget;
  readonly options: RestoreOptions;
  readonly administrator: Session;
  readonly roles: DumpRoles;
  readonly phases: Phases;
  readonly findings: Finding[];
  readonly refusals: Refusals;
  readonly signal: AbortSignal;
  readonly world: World;
}

/** A line of pg_restore's list, by which entries are chosen. */
interface Entry {
  readonly id: number;
  readonly kind: string;
  readonly told: string;
  readonly line: string;
}

const SERVER_KINDS = new Set([
  "DATABASE",
  "DATABASE PROPERTIES",
  "ENCODING",
  "STDSTRINGS",
  "SEARCHPATH",
]);
const PRIVILEGE_KINDS = new Set(["ACL", "DEFAULT ACL"]);
/** After everything else, for they look at it or act on it. */
const LAST_KINDS = new Set([
  "EVENT TRIGGER",
  "PUBLICATION",
  "PUBLICATION TABLE",
  "PUBLICATION TABLES IN SCHEMA",
  "SUBSCRIPTION",
  "SUBSCRIPTION TABLE",
]);

/** Restores a custom, directory or tar dump, part by part. */
export async function restoreArchive(dump: Dump, restore: Restoring): Promise<void> {
  const { phases } = restore;
  const archive = await phases.take("bytes", () => stage(dump, restore));
  const work = new ArchiveWork(archive, dump.form, restore);
  await work.run();
}

/** Puts the dump where pg_restore can seek in it. */
async function stage(dump: Dump, { target, signal }: Restoring): Promise<string> {
  const folder = dump.form === "directory" ? "archive" : "";
  for (const { name, copy, open } of dump.files) {
    const path = folder === "" ? "archive" : `${folder}/${name}`;
    const adopted = copy === undefined ? undefined : await target.staging.adopt?.(path, copy);
    if (adopted === undefined) await target.staging.write(path, await open(signal), signal);
  }
  return target.staging.path("archive");
}

/** Where a dump has no readable contents, nothing can be restored from it. */
class Unreadable extends Error {}

class ArchiveWork {
  readonly #archive: string;
  readonly #form: Dump["form"];
  readonly #restore: Restoring;
  #lists = 0;

  constructor(archive: string, form: Dump["form"], restore: Restoring) {
    this.#archive = archive;
    this.#form = form;
    this.#restore = restore;
  }

  async run(): Promise<void> {
    const { phases, options } = this.#restore;
    try {
      const entries = await this.#entries();
      await phases.take("roles and extensions", () => this.#prepare(entries));
      const own = entries.filter((entry) => !isMadeOtherwise(entry));
      const privileges = own.filter(({ kind }) => PRIVILEGE_KINDS.has(kind));
      const rest = own.filter(
        ({ kind }) => !PRIVILEGE_KINDS.has(kind) && kind !== "SCHEMA" && kind !== "STATISTICS DATA",
      );
      await phases.take("definitions", (next) =>
        this.#definitionsAndRows(rest, () => next("rows")),
      );
      await phases.take("privileges", () => this.#phase(privileges, []));
      if (options.tier === "full") await this.#postData(rest);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.#find({ subject: "dump", what: `pg_restore cannot read it: ${error.message}.` });
    }
  }

  /**
   * In one run: jobs of pg_restore empty each table that this very run has made before they fill it,
   * and a server with little WAL (`wal_level = minimal`) then writes none for its rows.
   */
  async #definitionsAndRows(entries: readonly Entry[], onRows: () => void): Promise<void> {
    const sections = ["--section=pre-data", "--section=data", ...this.#jobs()];
    await this.#phase(entries, sections, onRows);
  }

  async #postData(entries: readonly Entry[]): Promise<void> {
    const { phases, roles } = this.#restore;
    const views = entries.filter(({ kind }) => kind === "MATERIALIZED VIEW DATA");
    const last = entries.filter((entry) => LAST_KINDS.has(kindMeantBy(entry)));
    const main = entries.filter((entry) => !views.includes(entry) && !last.includes(entry));
    await phases.take("indexes and constraints", () =>
      this.#phase(main, ["--section=post-data", ...this.#jobs(1)]),
    );
    await phases.take("materialized views", () => this.#phase(views, []));
    const acting = last.filter((entry) => kindMeantBy(entry) === "EVENT TRIGGER");
    await phases.take("publications and event triggers", async () => {
      await this.#phase(
        last.filter((entry) => !acting.includes(entry)),
        [],
      );
      // Before version 17 they would act on what the administrator does.
      await roles.finish();
      await this.#phase(acting, []);
    });
  }

  /** What the archive says that it holds. */
  async #entries(): Promise<Entry[]> {
    const { target, signal } = this.#restore;
    const entries: Entry[] = [];
    const { problem } = await readBy(
      target,
      ["--list", this.#archive],
      (line) => {
        const [, id, told = ""] = /^(\d+); \d+ \d+ (.+)$/.exec(line) ?? [];
        if (id !== undefined) entries.push({ id: Number(id), kind: kindOfEntry(told), told, line });
      },
      signal,
    );
    if (problem !== undefined) throw new Unreadable(problem);
    return entries;
  }

  /** Makes schemas, roles and extensions, which the definitions stand on. */
  async #prepare(entries: readonly Entry[]): Promise<void> {
    const { roles, administrator, target, options, findings } = this.#restore;
    const { names, extensions } = await this.#wants();
    for (const { name, reason } of await roles.ensure(names)) {
      this.#find({ subject: `role ${name}`, weight: "note", what: `It was not made: ${reason}.` });
    }
    await this.#phase(
      entries.filter(({ kind }) => kind === "SCHEMA"),
      [],
    );
    for (const extension of extensions) {
      const finding = await makeExtension(extension, administrator, target, options.tier);
      if (finding !== undefined) findings.push(finding);
    }
  }

  /** Reads the definitions for the roles and extensions that they need. */
  async #wants(): Promise<{ names: Set<string>; extensions: WantedExtension[] }> {
    const names = new Set<string>();
    const extensions: WantedExtension[] = [];
    await this.#definitions([], (statement) => {
      for (const name of rolesIn(statement)) names.add(name);
      const extension = extensionOf(statement);
      if (extension !== undefined) extensions.push(extension);
    });
    return { names, extensions };
  }

  /** Gives every statement of the archive's definitions. */
  async #definitions(
    args: readonly string[],
    onStatement: (statement: string) => void,
  ): Promise<void> {
    const { target, signal } = this.#restore;
    const reader = new StatementReader();
    const take = (bytes: Buffer, last: boolean) => {
      for (const piece of reader.read(bytes, last)) {
        if (piece.kind === "statement") onStatement(utf8(piece.text));
      }
    };
    const all = ["--schema-only", "--file=-", ...args, this.#archive];
    await readBy(target, all, (line) => take(Buffer.from(`${line}\n`), false), signal);
    take(Buffer.alloc(0), true);
  }

  /** @param more than asked for, where what they do takes unlike times and some end early. */
  #jobs(more = 0): readonly string[] {
    const { jobs = 2 } = this.#restore.options;
    // Only these forms have a place for each table that several processes can seek.
    return jobs > 1 && this.#form !== "tar" ? [`--jobs=${jobs + more}`] : [];
  }

  /**
   * Restores some entries. Those that only a superuser may make are made by the administrator where
   * that is harmless, and what failed for want of them is tried once more. So is, one by one, what
   * the jobs of pg_restore kept each other from: an index of a partition and a foreign key of the
   * whole can wait for each other.
   */
  async #phase(
    entries: readonly Entry[],
    args: readonly string[],
    onRows?: () => void,
  ): Promise<void> {
    if (entries.length === 0) return;
    const output = await this.#run(entries, args, onRows);
    const made = await this.#makePrivileged(entries, output);
    const { failed } = output;
    const deadlocked = output.problems.some(({ said }) => said.startsWith("deadlock detected"));
    const again =
      made.size === 0 && !deadlocked
        ? []
        : entries.filter(({ id }) => failed.has(id) && !made.has(id));
    const alone = args.filter((arg) => !arg.startsWith("--jobs"));
    if (again.length > 0) this.#tell(await this.#run(again, deadlocked ? alone : args));
    else this.#tell(output, made);
  }

  async #run(
    entries: readonly Entry[],
    args: readonly string[],
    onRows?: () => void,
  ): Promise<RestoreOutput> {
    const { target, options, signal } = this.#restore;
    this.#lists += 1;
    const list = await target.staging.write(
      `list-${this.#lists}`,
      Readable.from([`${entries.map(({ line }) => line).join("\n")}\n`]),
      signal,
    );
    const all = [`--use-list=${list}`, "--no-tablespaces", "--verbose", ...args, this.#archive];
    return restoreBy(target, options.database, { args: all, onRows }, signal);
  }

  /** @returns the ids of the entries that are there now. */
  async #makePrivileged(
    entries: readonly Entry[],
    { problems }: RestoreOutput,
  ): Promise<ReadonlySet<number>> {
    const made = new Set<number>();
    for (const { entry, statement = "" } of problems) {
      const known = entries.find(({ id }) => id === entry);
      if (known === undefined || made.has(known.id)) continue;
      // An entry can be a few statements: an event trigger, and that it is disabled.
      const statements = statementsIn(statement);
      const done = statements.every(isHarmlessPrivilege)
        ? await this.#byAdministrator(statements)
        : PRIVILEGE_KINDS.has(known.kind) && (await this.#inTurn(statements));
      if (done) made.add(known.id);
    }
    return made;
  }

  async #byAdministrator(statements: readonly string[]): Promise<boolean> {
    const { administrator } = this.#restore;
    return await doneBy(administrator, statements, async (statement) => {
      if (/^CREATE\s+FOREIGN\s+DATA\s+WRAPPER\s/i.test(statement))
        await grantWrappers(administrator);
    });
  }

  /**
   * Privileges that others than the owner have granted: pg_dump writes them in the names of these,
   * which only a superuser can take on by SET SESSION AUTHORIZATION; a member of theirs by SET ROLE.
   */
  async #inTurn(statements: readonly string[]): Promise<boolean> {
    const turns = statements.map((statement) =>
      statement
        .replace(/^SET\s+SESSION\s+AUTHORIZATION\s+/i, "SET ROLE ")
        .replace(/^RESET\s+SESSION\s+AUTHORIZATION\b/i, "RESET ROLE"),
    );
    if (turns.every((turn, at) => turn === statements[at])) return false;
    const { target, options, signal } = this.#restore;
    await using restorer = await openSession(
      target.place,
      target.connection(options.database, "restorer"),
      { psql: target.programs.psql, signal },
    );
    return await doneBy(restorer, turns);
  }

  #tell(output: RestoreOutput, made: ReadonlySet<number> = new Set()): void {
    const { findings, options, refusals } = this.#restore;
    for (const problem of output.problems) {
      if (problem.entry !== undefined && made.has(problem.entry)) continue;
      findings.push(refusals.take(problem, options.tier));
    }
    if (output.more > 0) {
      this.#find({ subject: "dump", what: `There were ${output.more} more errors.` });
    }
    if (output.fatal !== undefined) {
      this.#find({
        subject: "dump",
        what: `pg_restore gave up: ${output.fatal.replace(/\.$/, "")}.`,
      });
    }
  }

  #find(finding: Pick<Finding, "subject" | "what"> & Partial<Finding>): void {
    const { findings, options } = this.#restore;
    findings.push({ detector: "restore", tier: options.tier, weight: "damage", ...finding });
  }
}

/** Whether a session could run all of them. */
async function doneBy(
  session: Session,
  statements: readonly string[],
  after: (statement: string) => Promise<void> = async () => {},
): Promise<boolean> {
  try {
    for (const statement of statements) {
      await session.run(statement.replace(/;$/, ""));
      await after(statement);
    }
    return statements.length > 0;
  } catch (error) {
    if (!(error instanceof SqlFailed)) throw error;
    return false;
  }
}

/** Of a comment the kind of what it is about. */
function kindMeantBy({ kind, told }: Entry): string {
  if (kind !== "COMMENT") return kind;
  return /^COMMENT - (EVENT TRIGGER|PUBLICATION|SUBSCRIPTION) /.exec(told)?.[1] ?? kind;
}

/** Made beforehand, or no part of a database. */
function isMadeOtherwise({ kind, told }: Entry): boolean {
  if (SERVER_KINDS.has(kind) || kind === "EXTENSION") return true;
  if (kind === "COMMENT") return /^COMMENT - (?:EXTENSION|DATABASE) /.test(told);
  return kind === "PROCEDURAL LANGUAGE" && subjectOfEntry(told).endsWith(" plpgsql");
}
