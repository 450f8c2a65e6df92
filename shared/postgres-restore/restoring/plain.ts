import { SqlFailed } from "../../postgres/index.ts";
import type { Finding } from "../../proof/index.ts";
import type { Dump } from "../dump/dump.ts";
import { extensionOf, isHarmlessPrivilege, kindOf, rolesIn, subjectOf } from "../dump/grammar.ts";
import { type Piece, StatementReader, utf8 } from "../dump/statements.ts";
import type { Restoring } from "./archive.ts";
import { grantWrappers, makeExtension } from "./extensions.ts";
import { PsqlFeed } from "./psql-feed.ts";

/** So many statements, or so much text, are given to psql before it has to have done them. */
const WINDOW_STATEMENTS = 400;
const WINDOW_CHARACTERS = 4 * 1024 * 1024;
/** A dump with more errors than that is told no better by more of them. */
const MOST_ERRORS = 100;
const WIDE = /^(?:SJIS|SHIFT_JIS_2004|BIG5|GBK|UHC|GB18030|JOHAB)$/i;

/** Statements given to psql and not known to be done. */
interface Given {
  readonly text: string;
  /** In the dump. */
  readonly line: number;
  /** Where it ends in what psql was given. */
  readonly last: number;
}

/** Restores a plain dump: its statements are read by us, and psql sees only what may pass. */
export async function restorePlain(dump: Dump, restoring: Restoring): Promise<void> {
  const [file] = dump.files;
  if (file === undefined) throw new Error("a plain dump is one file");
  const content = await file.open(restoring.signal);
  const work = new PlainWork(restoring, await restricts(restoring));
  try {
    await restoring.phases.take("statements and rows", async () => {
      const reader = new StatementReader();
      work.reader = reader;
      for await (const chunk of content) {
        for (const piece of reader.read(chunk as Buffer)) await work.take(piece);
        if (work.over) break;
      }
      for (const piece of reader.read(Buffer.alloc(0), true)) await work.take(piece);
      await work.finish();
    });
    await restoring.phases.take("what needs the administrator", () => work.last());
  } finally {
    content.destroy();
  }
}

/** Whether this psql can be told to take no meta-commands (14.19, 15.14, 16.10, 17.6 and later). */
async function restricts({ target, signal }: Restoring): Promise<boolean> {
  const running = await target.place.start(
    { program: target.programs.psql, args: ["--version"] },
    signal,
  );
  let said = "";
  for await (const chunk of running.stdout) said += String(chunk);
  const [, major, minor] = /(\d+)\.(\d+)/.exec(said) ?? [];
  const since: Readonly<Record<string, number>> = { "14": 19, "15": 14, "16": 10, "17": 6 };
  return Number(major) >= 18 || Number(minor) >= (since[major ?? ""] ?? Number.POSITIVE_INFINITY);
}

class PlainWork {
  readonly #restoring: Restoring;
  readonly #restricts: boolean;
  reader: StatementReader | undefined;
  #feed: PsqlFeed | undefined;
  /** To be said again to another psql. */
  readonly #settings = new Map<string, string>();
  #given: Given[] = [];
  #characters = 0;
  /** Rows whose COPY has failed or was not given lead nowhere. */
  #rows: "taken" | "dropped" = "dropped";
  #copy: Given | undefined;
  readonly #acting: Given[] = [];
  /** Within BEGIN … COMMIT, where nothing can be done after an error. */
  #inTransaction = false;
  #skipping = false;
  #errors = 0;
  /** Whether anything has been made so far: a database begins empty. */
  #begun = false;
  /** Another database than the one that is restored. */
  #elsewhere: { readonly name: string; readonly line: number; told: boolean } | undefined;
  over = false;

  constructor(restoring: Restoring, restrictsMeta: boolean) {
    this.#restoring = restoring;
    this.#restricts = restrictsMeta;
  }

  async take(piece: Piece): Promise<void> {
    if (this.over) return;
    switch (piece.kind) {
      case "statement":
        return this.#statement(piece.text, piece.line);
      case "meta":
        return this.#meta(piece.text, piece.line);
      case "rows":
        if (this.#rows === "taken") await this.#feed?.write(piece.bytes);
        return;
      case "rows-end":
        return this.#rowsEnd();
      case "cut":
        return this.#cut(piece.within, piece.line);
      default:
        this.#find(
          "dump",
          `At line ${piece.line} is a statement of more than 48 MiB; it was not restored, nor what comes after it.`,
          { weight: "doubt", detector: "not-restored" },
        );
        this.over = true;
    }
  }

  /** Waits until all is done, and lets psql go. */
  async finish(): Promise<void> {
    await this.#settle();
    await this.#feed?.close();
    this.#feed = undefined;
  }

  /** What the administrator makes, after all else. */
  async last(): Promise<void> {
    const { roles, options } = this.#restoring;
    await roles.finish();
    if (options.tier !== "full") return;
    for (const given of this.#acting) await this.#byAdministrator(given);
  }

  async #byAdministrator({ text, line }: Given): Promise<void> {
    const statement = utf8(text);
    const subject = subjectOf(statement);
    if (!isHarmlessPrivilege(statement)) {
      this.#problem(
        subject,
        "must be superuser, and it is not as pg_dump writes it",
        line,
        statement,
      );
      return;
    }
    try {
      await this.#restoring.administrator.run(statement.replace(/;$/, ""));
      if (/^CREATE FOREIGN DATA WRAPPER\b/.test(statement)) {
        await grantWrappers(this.#restoring.administrator);
      }
    } catch (error) {
      if (!(error instanceof SqlFailed)) throw error;
      this.#problem(subject, error.said, line, statement);
    }
  }

  async #statement(text: string, line: number): Promise<void> {
    const { roles, options, administrator, target, findings } = this.#restoring;
    const head = utf8(text.slice(0, 20_000));
    if (this.#elsewhere !== undefined) return this.#notHere(head);
    // pg_dump --clean: what would be dropped is not there, and psql would end at each of them.
    if (!this.#begun && isCleaning(head)) return;
    this.#begun ||= makesSomething(head);
    await roles.ensure(rolesIn(head));
    const kind = kindOf(head);
    if (kind === "extension") {
      const extension = extensionOf(head);
      if (extension === undefined) return;
      await this.#settle();
      const finding = await makeExtension(extension, administrator, target, options.tier);
      if (finding !== undefined) findings.push(finding);
      return;
    }
    if (kind === "privileged") {
      await this.#settle();
      return this.#byAdministrator({ text, line, last: 0 });
    }
    if (kind === "acting") {
      this.#acting.push({ text, line, last: 0 });
      return;
    }
    if (kind === "server") return this.#serverStatement(head, line);
    if (kind === "post-data" && options.tier === "data") return;
    if (kind === "setting") this.#setting(head, text);
    await this.#give(text, line);
  }

  /** Another user's name in the dump is that of a role that we may take. */
  async #serverStatement(head: string, line: number): Promise<void> {
    const given =
      /^(?:SET\s+SESSION\s+AUTHORIZATION\s+('[^']+'|"(?:[^"]|"")+"|\w+)|RESET\s+SESSION\s+AUTHORIZATION)\s*;$/i.exec(
        head,
      );
    if (given === null) return;
    const [, name = "DEFAULT"] = given;
    const role = /^default$/i.test(name) ? "NONE" : name;
    const statement = `SET ROLE ${role};`;
    this.#settings.set("role", statement);
    await this.#give(statement, line);
  }

  #setting(head: string, text: string): void {
    const [, name = ""] =
      /^(?:SET|SELECT\s+(?:pg_catalog\.)?set_config\s*\(\s*')\s*(?:SESSION\s+)?(\w+)/i.exec(head) ??
      [];
    const reader = this.reader;
    if (reader !== undefined) {
      if (/^standard_conforming_strings$/i.test(name))
        reader.escapes = /\b(?:off|false|0)\b/i.test(head.slice(name.length));
      const encoding = /client_encoding\s*(?:=|TO)\s*'?(\w+)/i.exec(head)?.[1];
      if (encoding !== undefined) reader.wide = WIDE.test(encoding);
    }
    // Later servers' settings that this one does not know are refused once and not again.
    this.#settings.set(name.toLowerCase(), text);
  }

  async #give(text: string, line: number): Promise<void> {
    if (this.#skipping) {
      if (!/^(?:COMMIT|END|ROLLBACK)\b/i.test(text)) return;
      this.#skipping = false;
      this.#inTransaction = false;
      return;
    }
    if (/^(?:BEGIN|START\s+TRANSACTION)\b/i.test(text)) this.#inTransaction = true;
    if (/^(?:COMMIT|END|ROLLBACK)\b/i.test(text)) this.#inTransaction = false;
    const copies = /^COPY\s/i.test(text) && /\sFROM\s+stdin\b/i.test(text);
    if (copies) {
      await this.#settle();
      if (this.over || this.#skipping) return;
    }
    const feed = await this.#open();
    await feed.write(`${text}\n`);
    const given = { text, line, last: feed.lines };
    if (copies) {
      this.#copy = given;
      this.#rows = "taken";
      return;
    }
    this.#given.push(given);
    this.#characters += text.length;
    if (
      this.#given.length >= WINDOW_STATEMENTS ||
      this.#characters > WINDOW_CHARACTERS ||
      feed.ended
    ) {
      await this.#settle();
    }
  }

  /** Waits for what psql was given; what comes after an error is given to another psql. */
  async #settle(): Promise<void> {
    for (;;) {
      const feed = this.#feed;
      const given = this.#given;
      if (feed === undefined || given.length === 0) return;
      if (await feed.settle()) {
        this.#given = [];
        this.#characters = 0;
        return;
      }
      const { line, said } = await feed.refusal();
      this.#feed = undefined;
      this.#given = [];
      this.#characters = 0;
      this.#restoring.signal.throwIfAborted();
      const at = line === undefined ? 0 : given.findIndex(({ last }) => last >= line);
      const failed = given[Math.max(0, at)];
      if (failed !== undefined) this.#refused(failed, said);
      if (this.over) return;
      const rest = given.slice(Math.max(0, at) + 1);
      if (this.#inTransaction) {
        // The rest of the transaction cannot succeed, and what was done of it is gone.
        const end = rest.findIndex(({ text }) => /^(?:COMMIT|END|ROLLBACK)\b/i.test(text));
        this.#skipping = end < 0;
        if (end >= 0) this.#inTransaction = false;
        rest.splice(0, end < 0 ? rest.length : end + 1);
      }
      await this.#again(rest);
    }
  }

  async #again(rest: readonly Given[]): Promise<void> {
    if (rest.length === 0) return;
    const feed = await this.#open();
    for (const { text, line } of rest) {
      await feed.write(`${text}\n`);
      this.#given.push({ text, line, last: feed.lines });
    }
  }

  async #rowsEnd(): Promise<void> {
    const feed = this.#feed;
    const copy = this.#copy;
    if (this.#rows === "dropped" || feed === undefined || copy === undefined) return;
    this.#rows = "dropped";
    this.#copy = undefined;
    await feed.write("\\.\n");
    if (await feed.settle()) return;
    const { said } = await feed.refusal();
    this.#feed = undefined;
    this.#restoring.signal.throwIfAborted();
    this.#refused(copy, said);
    if (this.#inTransaction) this.#skipping = true;
  }

  async #cut(within: "statement" | "rows", line: number): Promise<void> {
    const copy = this.#copy;
    const subject = within === "rows" && copy !== undefined ? subjectOf(utf8(copy.text)) : "dump";
    this.#find(
      subject,
      `The dump ends at line ${line} within ${within === "rows" ? "the rows of a table" : "a statement"}: it is cut off.`,
    );
    if (within === "statement" || copy === undefined) return;
    // The rows that came are looked at all the same: the end of the input ends them too.
    this.#copy = undefined;
    this.#rows = "dropped";
    const feed = this.#feed;
    this.#feed = undefined;
    const ended = await feed?.close();
    if (feed !== undefined && ended?.exitCode !== 0) {
      this.#refused(copy, (await feed.refusal()).said);
    }
  }

  async #meta(text: string, line: number): Promise<void> {
    if (/^\\(?:un)?restrict\s+\w+$/.test(text)) return;
    if (/^\\connect\b/.test(text)) return this.#connect(text, line);
    if (this.#elsewhere !== undefined) return;
    if (/^\\encoding\s+\w+$/.test(text)) {
      await this.#statement(`SET client_encoding = '${text.split(/\s+/)[1]}';`, line);
      return;
    }
    const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
    this.#find(
      `line ${line}`,
      `The dump holds the psql command ${shown} at line ${line}, which pg_dump never writes and which would act outside of the database; it was not run.`,
      { detector: "hostile" },
    );
  }

  /** One database is restored: the first of those that the dump connects to. */
  #connect(text: string, line: number): void {
    const name =
      /(?:dbname='?|\\connect\s+(?:-reuse-previous=on\s+)?"?)([^"'\s]+)/.exec(text)?.[1] ?? "";
    if (name === "template1" || name === "-") return;
    // Those before it had nothing in them.
    if (this.#begun) this.#elsewhere = { name, line, told: false };
  }

  /** Other databases count where there is something in them; the server's own `postgres` has not. */
  #notHere(head: string): void {
    const database = this.#elsewhere;
    if (database === undefined || database.told || !makesSomething(head)) return;
    database.told = true;
    this.#find(
      "dump",
      `From line ${database.line} on it holds another database, ${database.name}, which was not restored: one is, the first that has something in it.`,
      { weight: "doubt", detector: "not-restored" },
    );
  }

  async #open(): Promise<PsqlFeed> {
    if (this.#feed !== undefined) return this.#feed;
    const { target, options, signal } = this.#restoring;
    this.#feed = await PsqlFeed.open(target, options.database, this.#restricts, signal);
    for (const setting of this.#settings.values()) await this.#feed.write(`${setting}\n`);
    return this.#feed;
  }

  #refused({ text, line }: Given, said: string): void {
    const statement = utf8(text.slice(0, 20_000));
    if (kindOf(statement) === "setting") {
      for (const [name, setting] of this.#settings)
        if (setting === text) this.#settings.delete(name);
    }
    if (isHarmlessPrivilege(statement)) {
      this.#acting.push({ text, line, last: 0 });
      return;
    }
    // Until there is the key that its query needs, a stand-in is in the view's place.
    const { tier } = this.#restoring.options;
    if (tier === "data" && /^CREATE\s+OR\s+REPLACE\s+VIEW\s/i.test(statement)) return;
    this.#problem(subjectOf(statement), said, line, statement);
  }

  #problem(subject: string, said: string, line: number, statement: string): void {
    const { findings, options, refusals } = this.#restoring;
    const problem = { subject, said, where: `line ${line}`, statement };
    findings.push(refusals.take(problem, options.tier));
    this.#errors += 1;
    if (this.#errors < MOST_ERRORS || this.over) return;
    this.over = true;
    this.#find("dump", `The restore was given up after ${MOST_ERRORS} errors, at line ${line}.`);
  }

  #find(subject: string, what: string, more: Partial<Finding> = {}): void {
    const { findings, options } = this.#restoring;
    findings.push({
      detector: "restore",
      tier: options.tier,
      weight: "damage",
      subject,
      what,
      ...more,
    });
  }
}

/** What a dump takes away before it makes anything. */
function isCleaning(statement: string): boolean {
  return (
    /^DROP\s+(?!(?:ROLE|USER|GROUP|DATABASE|TABLESPACE|OWNED)\b)/i.test(statement) ||
    /^ALTER\s+TABLE\s[^;]*\sDROP\s+(?:CONSTRAINT|IDENTITY|DEFAULT)\b/i.test(statement) ||
    /^SELECT\s+pg_catalog\.lo_unlink\s*\(/i.test(statement)
  );
}

/** Makes something in a database that is not in every new one. */
function makesSomething(statement: string): boolean {
  if (/^(?:COPY|INSERT)\s/i.test(statement)) return true;
  return /^CREATE\s+(?!(?:ROLE|USER|GROUP|DATABASE|TABLESPACE)\s+(?!MAPPING\b)|SCHEMA\s+(?:IF\s+NOT\s+EXISTS\s+)?public\b|EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?plpgsql\b)/i.test(
    statement,
  );
}
