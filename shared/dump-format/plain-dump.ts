import { namesIn } from "./copy-statement.ts";
import { EncodingCheck } from "./encoding-check.ts";
import {
  type EntryHeader,
  entryHeaderOf,
  isData,
  isPostData,
  leadsToStatement,
} from "./entry-header.ts";
import type { Detector, FaultList } from "./fault-list.ts";
import { hostilityOf, metaHostility } from "./hostile.ts";
import type { PlainFacts, PlainTable } from "./plain-facts.ts";
import { judgePlain } from "./plain-verdict.ts";
import { isCommand } from "./sql-commands.ts";
import type { CopyBlock, SqlListener, Statement } from "./sql-listener.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { createdIn, insertedIn } from "./statement-facts.ts";
import { columnsIn } from "./table-columns.ts";
import { tableName, tableNameOf } from "./table-name.ts";

export interface PlainOptions {
  readonly subject: string;
  readonly faults: FaultList;
}

/** Reads a plain dump chunk by chunk; `end` judges it. */
export class PlainDump implements SqlListener {
  readonly #scanner = new SqlScanner(this);
  readonly #options: PlainOptions;
  #header: (EntryHeader & { readonly line: number; fulfilled: boolean }) | undefined;
  #database: string | undefined;
  #postData: { readonly kind: string; readonly name: string; readonly line: number } | undefined;
  #outOfOrder = false;
  readonly facts: PlainFacts = {
    tables: new Map(),
    parts: [],
    sequences: new Map(),
    setvals: new Set(),
    cluster: "none",
    server: undefined,
    dumper: undefined,
    encoding: undefined,
    statements: 0,
    made: 0,
    inserts: 0,
    afterEnd: undefined,
    restricted: undefined,
    carriageReturns: 0,
    firstCarriageReturn: undefined,
    encodingCheck: new EncodingCheck(),
  };

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  push(chunk: Buffer): void {
    this.facts.encodingCheck.push(chunk, this.#scanner.line);
    this.#scanner.push(chunk);
  }

  /** Ends the dump, and puts everything that is wrong with it into the list of faults. */
  end(): PlainFacts {
    const open = this.#scanner.end();
    if (open === undefined) this.#leaveHeader();
    this.facts.encodingCheck.end(this.#scanner.line);
    judgePlain(this.facts, { ...this.#options, open, lastLine: this.#scanner.line });
    return this.facts;
  }

  comment(text: string, line: number): void {
    const header = entryHeaderOf(text);
    if (header !== undefined) {
      this.#enterHeader(header, line);
      return;
    }
    const version = /^-- Dumped (from database|by pg_dump) version (\S+)/.exec(text);
    if (version === null) this.#marker(text.trimEnd(), line);
    else if (version[1] === "from database") this.facts.server ??= version[2];
    else this.facts.dumper ??= version[2];
  }

  #marker(text: string, line: number): void {
    const { parts } = this.facts;
    if (text === "-- PostgreSQL database dump") {
      parts.push({ line, database: this.#database, complete: false });
      this.#postData = undefined;
    } else if (text === "-- PostgreSQL database dump complete") {
      const part = parts.at(-1);
      if (part === undefined) parts.push({ line: 0, database: this.#database, complete: true });
      else part.complete = true;
    } else if (text === "-- PostgreSQL database cluster dump") this.facts.cluster = "open";
    else if (text === "-- PostgreSQL database cluster dump complete") {
      this.facts.cluster = "complete";
    }
  }

  metaCommand(text: string, line: number): void {
    this.#leaveHeader();
    const command = text.trim();
    const restrict = /^\\(un)?restrict (\S+)$/.exec(command);
    if (restrict !== null) this.#restrict(restrict[1] !== "un", restrict[2] ?? "", line);
    const reason = metaHostility(command);
    if (reason !== undefined) {
      this.#fault(line, "hostile", "doubt", `${quote(command)} ${reason}.`);
      return;
    }
    const connect = /^\\connect (.*)$/.exec(command)?.[1];
    if (connect === undefined) return;
    this.#database = /dbname='(.*)'"$/.exec(connect)?.[1] ?? namesIn(connect)[0];
    this.#postData = undefined;
  }

  #restrict(begins: boolean, key: string, line: number): void {
    const open = this.facts.restricted;
    if (begins) this.facts.restricted = key;
    else if (open === key) this.facts.restricted = undefined;
    else {
      const what =
        "\\unrestrict is given another key than \\restrict, so psql refuses everything behind it.";
      this.#fault(line, "structure", "damage", what, open ?? "none open", key);
    }
  }

  statement(statement: Statement): void {
    const { facts } = this;
    facts.statements += 1;
    if (facts.parts.at(-1)?.complete === true && facts.cluster === "none") {
      facts.afterEnd ??= { line: statement.line, text: statement.code.slice(0, 60) };
    }
    if (!isCommand(statement.code)) {
      const what = `${quote(statement.code.slice(0, 40))} begins no SQL command: the text is damaged here or before.`;
      this.#fault(statement.line, "structure", "damage", what);
    }
    for (const hostility of hostilityOf(statement)) {
      this.#fault(statement.line, "hostile", hostility.weight, `The statement ${hostility.what}.`);
    }
    this.#note(statement);
    this.#fulfil(statement);
  }

  #note({ code, strings, line }: Statement): void {
    const { facts } = this;
    if (/^INSERT\b/i.test(code)) {
      const inserted = insertedIn(code);
      if (inserted === undefined) return;
      facts.inserts += 1;
      const table = this.#dataTable(inserted.table);
      table.announced ??= line;
      table.hasData = true;
      table.rows += inserted.rows;
    } else if (/^SET\s+client_encoding\b/i.test(code)) {
      facts.encoding ??= strings[0] ?? /=\s*(\w+)/.exec(code)?.[1];
    } else if (/^SELECT\s+pg_catalog\.setval\b/i.test(code)) {
      // A quote within the name ends one string and begins another.
      facts.setvals.add(this.#scoped(tableNameOf(strings.join("'"))));
    } else this.#noteCreated(code, line);
  }

  #noteCreated(code: string, line: number): void {
    if (/^CREATE\s+(?:\w+\s+)?(?:TABLE|EXTENSION)\b/i.test(code)) this.facts.made += 1;
    const created = createdIn(code);
    if (created === undefined) return;
    if (created.kind === "sequence") {
      this.facts.sequences.set(this.#scoped(created.name), line);
      return;
    }
    const table = this.#table(created.name);
    table.created = line;
    table.columns = columnsIn(code);
    table.holdsRows = created.holdsRows;
  }

  copyBegins(block: CopyBlock): void {
    const table = this.#dataTable(tableNameOf(block.table));
    table.announced ??= block.line;
    table.hasData = true;
    const { columns } = table;
    const lost = block.columns?.filter((column) => columns?.has(column) === false) ?? [];
    if (lost.length === 0) return;
    this.#fault(
      block.line,
      "structure",
      "damage",
      `The COPY of ${block.table} names columns that the table is not created with: ${lost.slice(0, 5).join(", ")}.`,
      [...(columns ?? [])].slice(0, 20).join(", "),
      block.columns?.slice(0, 20).join(", "),
    );
  }

  copyEnds(block: CopyBlock): void {
    this.#dataTable(tableNameOf(block.table)).rows += block.rows;
    if (block.firstWrong === undefined) return;
    const { line, fields } = block.firstWrong;
    this.#fault(
      line,
      "rows",
      "damage",
      `${block.wrongRows} of the ${block.rows} rows of ${block.table} do not have as many fields as its COPY has columns.`,
      `${block.columns?.length ?? 0} fields`,
      `${fields} fields`,
    );
  }

  carriageReturn(line: number): void {
    this.facts.carriageReturns += 1;
    this.facts.firstCarriageReturn ??= line;
  }

  /** Rows of a partition can be written to its root: they are counted where they are announced. */
  #dataTable(name: string): PlainTable {
    const header = this.#header;
    return this.#table(header?.kind === "TABLE DATA" ? this.#announced(header) : name);
  }

  /** The table that a header names, where line ends of names are spaces. */
  #announced({ schema, name }: EntryHeader): string {
    const written = tableName(schema, name);
    if (!written.includes(" ")) return written;
    for (const { name: known } of this.facts.tables.values())
      if (inOneLine(known) === this.#scoped(written)) return known.slice(this.#scoped("").length);
    return written;
  }

  #table(name: string): PlainTable {
    const scoped = this.#scoped(name);
    const known = this.facts.tables.get(scoped);
    if (known !== undefined) return known;
    const table: PlainTable = {
      name: scoped,
      created: undefined,
      columns: undefined,
      holdsRows: true,
      announced: undefined,
      hasData: false,
      rows: 0,
    };
    this.facts.tables.set(scoped, table);
    return table;
  }

  /** In a dump of a whole server, tables of several databases have the same names. */
  #scoped(name: string): string {
    const alone = this.facts.cluster === "none" || this.#database === undefined;
    return alone ? name : `${this.#database}: ${name}`;
  }

  #enterHeader(header: EntryHeader, line: number): void {
    this.#leaveHeader();
    this.#header = { ...header, line, fulfilled: false };
    if (header.kind === "TABLE DATA") {
      this.#table(this.#announced(header)).announced ??= line;
    }
    this.#holdOrder(header, line);
  }

  /** pg_dump writes everything before the data, the data, and everything after it, in this order. */
  #holdOrder(header: EntryHeader, line: number): void {
    if (isPostData(header.kind)) this.#postData ??= { kind: header.kind, name: header.name, line };
    const before = this.#postData;
    if (before === undefined || this.#outOfOrder) return;
    if (!isData(header.kind) && header.kind !== "TABLE") return;
    this.#outOfOrder = true;
    this.#fault(
      line,
      "structure",
      "doubt",
      `${header.kind} ${header.name} comes after ${before.kind} ${before.name} of line ${before.line}: pg_dump does not write in this order, so parts were moved or put together.`,
    );
  }

  #leaveHeader(): void {
    const header = this.#header;
    this.#header = undefined;
    if (header === undefined || header.fulfilled || !leadsToStatement(header.kind)) return;
    this.#fault(
      header.line,
      "structure",
      "damage",
      `${header.kind} ${tableName(header.schema, header.name)} is announced, and no statement follows: something was cut out here.`,
    );
  }

  /** The statement behind a header has to be about what the header names. */
  #fulfil(statement: Statement): void {
    const header = this.#header;
    if (header === undefined) return;
    const first = !header.fulfilled;
    header.fulfilled = true;
    if (!first || !NAMED_FIRST.has(header.kind)) return;
    const creates = /^CREATE\b/i.test(statement.code) || isIdentity(header, statement);
    if (creates && inOneLine(statement.code.replaceAll('""', '"')).includes(header.name)) return;
    this.#fault(
      statement.line,
      "structure",
      "damage",
      `The statement behind the header of ${header.kind} ${header.name} is about something else: ${quote(statement.code)}.`,
      header.name,
    );
  }

  #fault(
    line: number,
    detector: Detector,
    weight: "damage" | "doubt" | "note",
    what: string,
    expected?: string,
    found?: string,
  ): void {
    const subject = `${this.#options.subject} line ${line}`;
    this.#options.faults.add({ detector, weight, subject, what, expected, found });
  }
}

/** Kinds whose first statement creates what the header names. */
const NAMED_FIRST = new Set([
  "TABLE",
  "VIEW",
  "SEQUENCE",
  "INDEX",
  "TYPE",
  "DOMAIN",
  "MATERIALIZED VIEW",
]);

/** The sequence of an identity column is made by changing its table. */
function isIdentity(header: EntryHeader, statement: Statement): boolean {
  return header.kind === "SEQUENCE" && /^ALTER\s+TABLE\b/i.test(statement.code);
}

/** As the header of an entry has it. */
function inOneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
