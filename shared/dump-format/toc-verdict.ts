import type { Archive, TocEntry } from "./archive.ts";
import { isUtf8Archive } from "./archive-facts.ts";
import { copyTargetOf } from "./copy-statement.ts";
import type { FaultList } from "./fault-list.ts";
import { hostilityOf, metaHostility } from "./hostile.ts";
import { ROWS_OF_NONE, withoutStructure } from "./row-count.ts";
import { isCommand } from "./sql-commands.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { columnsIn } from "./table-columns.ts";
import { tableName, tableNameOf } from "./table-name.ts";
import { judgeVersions } from "./versions.ts";

const BOUNDARIES = 2;
/** Newer forms are read as this one, and that is said. */
const NEWEST_FORM = 16;

const KINDS = new Set(
  (
    "ACCESS METHOD,ACL,ACL LANGUAGE,AGGREGATE,BLOB,BLOB COMMENTS,BLOB METADATA,BLOBS,CAST,CHECK CONSTRAINT,COLLATION,COMMENT,CONSTRAINT," +
    "CONVERSION,DATABASE,DATABASE PROPERTIES,DEFAULT,DEFAULT ACL,DOMAIN,ENCODING,EVENT TRIGGER,EXTENSION," +
    "FK CONSTRAINT,FOREIGN DATA WRAPPER,FOREIGN SERVER,FOREIGN TABLE,FUNCTION,INDEX,INDEX ATTACH," +
    "MATERIALIZED VIEW,MATERIALIZED VIEW DATA,OPERATOR,OPERATOR CLASS,OPERATOR FAMILY,PASSWORD,POLICY," +
    "PROCEDURAL LANGUAGE,PROCEDURE,PUBLICATION,PUBLICATION TABLE,PUBLICATION TABLES IN SCHEMA,ROW SECURITY," +
    "RULE,SCHEMA,SEARCHPATH,SECURITY LABEL,SEQUENCE,SEQUENCE OWNED BY,SEQUENCE SET,SERVER,SHELL TYPE," +
    "STATISTICS,STATISTICS DATA,STDSTRINGS,STDSTRINGS,SUBSCRIPTION,SUBSCRIPTION TABLE,TABLE,TABLE ATTACH," +
    "TABLE DATA,TEXT SEARCH CONFIGURATION,TEXT SEARCH DICTIONARY,TEXT SEARCH PARSER,TEXT SEARCH TEMPLATE," +
    "TRANSFORM,TRIGGER,TYPE,USER MAPPING,VIEW,PRE-DATA BOUNDARY,POST-DATA BOUNDARY,LARGE OBJECT,TABLESPACE,SCHEMA PROPERTIES,<Init>"
  ).split(","),
);

/** Kinds whose definition creates what their tag names. */
const NAMED = new Set([
  "TABLE",
  "VIEW",
  "MATERIALIZED VIEW",
  "SEQUENCE",
  "INDEX",
  "TYPE",
  "DOMAIN",
  "FOREIGN TABLE",
  "EXTENSION",
  "SEQUENCE SET",
  "TRIGGER",
  "POLICY",
  "CONSTRAINT",
  "FK CONSTRAINT",
]);

/** Kinds that can be about what the dump itself does not create. */
const UPON_ANYTHING = new Set(["ACL", "ACL LANGUAGE", "COMMENT", "SECURITY LABEL"]);

/** Kinds of entries with rows that users wrote into what an extension made. */
const ROWS_OF_EXTENSIONS = new Set(["TABLE DATA", "SEQUENCE SET"]);

const MAKES_TABLES = new Set(["TABLE", "EXTENSION"]);

/** Judges a table of contents by itself: what it lists, what it would run. */
export function judgeArchive(archive: Archive, subject: string, faults: FaultList): void {
  const minor = Number(archive.version.slice(2));
  if (minor > NEWEST_FORM) {
    faults.add({
      detector: "version",
      weight: "doubt",
      subject,
      what: `Its form ${archive.version} is newer than those known here, and was read as 1.${NEWEST_FORM}.`,
    });
  }
  judgeVersions({ server: archive.server, dumper: archive.dumper }, subject, faults);
  const judge = new TocJudge(archive, subject, faults);
  judge.entries();
  judge.wholeness();
}

class TocJudge {
  readonly #archive: Archive;
  readonly #subject: string;
  readonly #faults: FaultList;
  readonly #byId = new Map<number, TocEntry>();

  constructor(archive: Archive, subject: string, faults: FaultList) {
    this.#archive = archive;
    this.#subject = subject;
    this.#faults = faults;
  }

  entries(): void {
    for (const entry of this.#archive.entries) {
      if (this.#byId.has(entry.id)) this.#damage(entry, `Its id ${entry.id} is there twice.`);
      this.#byId.set(entry.id, entry);
    }
    for (const entry of this.#archive.entries) {
      this.#kind(entry);
      this.#text(entry);
      if (entry.kind === "TABLE DATA") this.#tableData(entry);
      if (entry.kind === "BLOB") this.#largeObject(entry);
    }
    this.#dependencies();
  }

  #kind(entry: TocEntry): void {
    if (KINDS.has(entry.kind)) return;
    this.#damage(entry, `It is a ${JSON.stringify(entry.kind)}, which no pg_dump writes.`);
  }

  /** What restoring would run: every definition is SQL, whole, and about what its entry names. */
  #text(entry: TocEntry): void {
    if (entry.definition === "" || entry.kind === "BLOB METADATA") return;
    let first = true;
    const scanner = new SqlScanner({
      statement: (statement) => {
        if (!isCommand(statement.code)) {
          this.#damage(
            entry,
            `Its definition is damaged: ${quote(statement.code)} is no SQL command.`,
          );
        } else if (first && NAMED.has(entry.kind) && !names(statement, entry)) {
          this.#damage(entry, `Its definition is about something else: ${quote(statement.code)}.`);
        }
        first = false;
        for (const { weight, what } of hostilityOf(statement)) {
          this.#fault(entry, "hostile", weight, `It ${what}.`);
        }
      },
      metaCommand: (text) => {
        const reason = metaHostility(text) ?? "has no place in an archive";
        this.#fault(
          entry,
          "hostile",
          "doubt",
          `Its definition has ${quote(text)}, which ${reason}.`,
        );
      },
      comment: () => undefined,
      copyBegins: () => this.#fault(entry, "hostile", "doubt", "Its definition begins a COPY."),
      copyEnds: () => undefined,
      carriageReturn: () => undefined,
    });
    scanner.push(Buffer.from(`${entry.definition}\n`));
    const open = scanner.end();
    if (open !== undefined && entry.kind !== "TABLE DATA") {
      this.#damage(entry, `Its definition ends inside of ${open.what}.`);
    }
  }

  /**
   * Two ids can be named without an entry: those of the boundaries between sections, which pg_dump
   * sorts by and does not write. So can what privileges and comments are about, for that may be the
   * server's or an extension's own, and tables of extensions that hold rows of users.
   */
  #dependencies(): void {
    const { entries } = this.#archive;
    const extended =
      entries.some(({ kind }) => kind === "EXTENSION") ||
      !entries.some(({ kind }) => kind === "TABLE");
    const named = new Set(
      entries
        .filter(({ kind }) => !UPON_ANYTHING.has(kind))
        .filter(({ kind }) => !(extended && ROWS_OF_EXTENSIONS.has(kind)))
        .flatMap((entry) => entry.dependencies),
    );
    const lost = [...named].filter((id) => !this.#byId.has(id));
    if (lost.length <= BOUNDARIES) return;
    this.#faults.add({
      detector: "toc",
      weight: "doubt",
      subject: this.#subject,
      what: `Its entries depend on ${lost.length} entries that are not there, such as ${lost[0]}: entries were taken out, or dependencies are damaged.`,
    });
  }

  #tableData(entry: TocEntry): void {
    if (!entry.hasData) this.#damage(entry, "It is said to have no data.");
    if (entry.copyStatement === "") return;
    const target = copyTargetOf(entry.copyStatement.trim());
    if (target === undefined) {
      this.#damage(entry, `Its COPY is damaged: ${quote(entry.copyStatement.trim())}.`);
      return;
    }
    const own = tableName(entry.schema, entry.name);
    const copied = tableNameOf(target.table);
    if (target.columns !== undefined) this.#columns(entry, target.columns);
    if (copied === own || this.#isRoot(copied)) return;
    this.#damage(entry, "Its COPY is for another table.", own, copied);
  }

  #largeObject(entry: TocEntry): void {
    const made = /lo_create\('(\d+)'\)/.exec(entry.definition)?.[1];
    if (made !== entry.name) {
      this.#damage(entry, "Its definition makes another large object.", entry.name, made ?? "none");
    }
  }

  /** The columns that rows are copied into have to be those that the table is created with. */
  #columns(entry: TocEntry, columns: readonly string[]): void {
    const table = this.#archive.entries.find(
      ({ kind, name, schema }) =>
        kind === "TABLE" && name === entry.name && schema === entry.schema,
    );
    if (table === undefined) return;
    const created = columnsIn(table.definition);
    if (created === undefined) return;
    const lost = columns.filter((column) => !created.has(column));
    if (lost.length === 0) return;
    this.#damage(
      entry,
      `Its COPY names columns that the table is not created with: ${lost.slice(0, 5).join(", ")}.`,
      [...created].slice(0, 20).join(", "),
      columns.slice(0, 20).join(", "),
    );
  }

  /** Rows of partitions can be loaded through their root. */
  #isRoot(name: string): boolean {
    return this.#archive.entries.some(
      (entry) =>
        entry.kind === "TABLE" &&
        tableName(entry.schema, entry.name) === name &&
        /\bPARTITION BY\b/.test(entry.definition),
    );
  }

  /** What every dump has. */
  wholeness(): void {
    const { entries, foreignTexts } = this.#archive;
    const [foreign] = foreignTexts;
    if (foreign !== undefined && isUtf8Archive(this.#archive)) {
      this.#faults.add({
        detector: "encoding",
        weight: "damage",
        subject: this.#subject,
        what: `${foreignTexts.length} texts of its table of contents are no UTF-8, the first of them at offset ${foreign}.`,
        expected: "UTF-8",
      });
    }
    for (const kind of ["ENCODING", "STDSTRINGS", "SEARCHPATH"]) {
      if (entries.some((entry) => entry.kind === kind)) continue;
      this.#faults.add({
        detector: "toc",
        weight: "doubt",
        subject: this.#subject,
        what: `Its table of contents has no entry ${kind}, which every dump has.`,
        expected: kind,
      });
    }
    const tables = entries.filter(
      (entry) =>
        entry.kind === "TABLE" && !/\bPARTITION BY (RANGE|LIST|HASH)\b/.test(entry.definition),
    );
    const filled = new Set(
      entries
        .filter((entry) => entry.kind === "TABLE DATA")
        .map((entry) => tableName(entry.schema, entry.name)),
    );
    if (filled.size > 0 && !entries.some(({ kind }) => MAKES_TABLES.has(kind))) {
      const what = withoutStructure(filled.size);
      this.#faults.add({ detector: "structure", weight: "doubt", subject: this.#subject, what });
    }
    this.#tablesWithoutData(tables, filled);
    this.#sequences(filled.size > 0);
  }

  #tablesWithoutData(tables: readonly TocEntry[], filled: ReadonlySet<string>): void {
    if (tables.length > 0 && filled.size === 0) {
      this.#faults.add({
        detector: "structure",
        weight: "doubt",
        subject: this.#subject,
        what: `It has the structure of ${tables.length} ${ROWS_OF_NONE}: pg_dump was run with --schema-only.`,
      });
      return;
    }
    for (const table of tables) {
      const name = tableName(table.schema, table.name);
      if (filled.has(name)) continue;
      this.#faults.add({
        detector: "structure",
        weight: "doubt",
        subject: `table ${name}`,
        what: "Its structure is in the dump and its rows are not: they were excluded, or taken out.",
        expected: "an entry TABLE DATA",
      });
    }
  }

  #sequences(withData: boolean): void {
    if (!withData) return;
    const { entries } = this.#archive;
    const set = new Set(
      entries
        .filter((entry) => entry.kind === "SEQUENCE SET")
        .map((entry) => tableName(entry.schema, entry.name)),
    );
    for (const entry of entries) {
      const name = tableName(entry.schema, entry.name);
      if (entry.kind !== "SEQUENCE" || set.has(name)) continue;
      this.#faults.add({
        detector: "structure",
        weight: "doubt",
        subject: `sequence ${name}`,
        what: "Its value is set nowhere in the dump: after a restore it would give out numbers that are taken.",
        expected: "an entry SEQUENCE SET",
      });
    }
  }

  #damage(entry: TocEntry, what: string, expected?: string, found?: string): void {
    this.#faults.add({
      detector: "toc",
      weight: "damage",
      subject: subjectOf(entry),
      what,
      expected,
      found,
    });
  }

  #fault(
    entry: TocEntry,
    detector: "toc" | "hostile",
    weight: "damage" | "doubt" | "note",
    what: string,
  ): void {
    this.#faults.add({ detector, weight, subject: subjectOf(entry), what });
  }
}

function names(statement: { code: string; strings: readonly string[] }, entry: TocEntry): boolean {
  // Constraints and triggers have the name of their table in front of their own.
  const own = entry.name.split(" ").at(-1) ?? entry.name;
  return bare(`${statement.code}${statement.strings.join("")}`).includes(bare(own));
}

/** Without what is written otherwise in SQL than in a name: quotes, backslashes, white space. */
function bare(text: string): string {
  return text.replace(/["'\\\s]/g, "");
}

/** `entry 214 (TABLE public.orders)`, as the messages name it. */
export function subjectOf(entry: TocEntry): string {
  return `entry ${entry.id} (${entry.kind} ${tableName(entry.schema, entry.name)})`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
