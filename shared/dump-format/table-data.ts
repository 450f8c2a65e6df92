import type { TocEntry } from "./archive.ts";
import { EncodingCheck } from "./encoding-check.ts";
import type { Detector, FaultList } from "./fault-list.ts";
import { hostilityOf, metaHostility } from "./hostile.ts";
import { isCommand } from "./sql-commands.ts";
import type { CopyBlock, SqlListener, Statement } from "./sql-listener.ts";
import { SqlScanner } from "./sql-scanner.ts";
import { insertedIn } from "./statement-facts.ts";
import { tableName } from "./table-name.ts";

/**
 * Looks through the data of one table of an archive: rows as COPY sends them, with the line that
 * pg_dump ends them with, or INSERT statements.
 */
export class TableData implements SqlListener {
  readonly #scanner = new SqlScanner(this);
  readonly #encoding = new EncodingCheck();
  readonly #entry: TocEntry;
  /** The file or member, for messages. */
  readonly #where: string;
  readonly #faults: FaultList;
  readonly #utf8: boolean;
  #closed = false;
  #bytes = 0;
  rows = 0;

  constructor(entry: TocEntry, where: string, faults: FaultList, utf8: boolean) {
    this.#entry = entry;
    this.#where = where;
    this.#faults = faults;
    this.#utf8 = utf8;
    if (entry.copyStatement !== "") {
      this.#scanner.push(Buffer.from(`${entry.copyStatement.trim()}\n`));
    }
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#encoding.push(chunk, this.#scanner.line);
    this.#scanner.push(chunk);
  }

  /** @param whole false where reading already failed, and that was said. */
  end(whole: boolean): void {
    const open = this.#scanner.end();
    this.#encoding.end(this.#scanner.line);
    this.#judgeEncoding();
    if (!whole) return;
    const copies = this.#entry.copyStatement !== "";
    if (copies && this.#bytes === 0) {
      this.#fault(
        "end-marker",
        "damage",
        "Its data is empty, without even the line that ends the rows of a table that has none: it was emptied after the dump, and pg_restore would restore no rows without an error.",
        "at least \\.",
      );
    } else if (copies && !this.#closed) {
      this.#fault(
        "end-marker",
        "damage",
        `Its rows are cut short after row ${this.rows + this.#openRows}: the line that ends them is missing.`,
        "\\.",
      );
    } else if (open !== undefined) {
      this.#fault("end-marker", "damage", `Its data ends inside of ${open.what}.`);
    }
  }

  #block: CopyBlock | undefined;

  get #openRows(): number {
    return this.#block?.rows ?? 0;
  }

  copyBegins(block: CopyBlock): void {
    this.#block = block;
  }

  copyEnds(block: CopyBlock): void {
    this.#block = undefined;
    this.#closed = true;
    this.rows += block.rows;
    if (block.firstWrong === undefined) return;
    this.#fault(
      "rows",
      "damage",
      `${block.wrongRows} of its ${block.rows} rows do not have as many fields as its COPY has columns, the first of them row ${block.firstWrong.line - 1}.`,
      `${block.columns?.length ?? 0} fields`,
      `${block.firstWrong.fields} fields`,
    );
  }

  statement(statement: Statement): void {
    if (/^COPY\b/i.test(statement.code) && !this.#closed && this.#entry.copyStatement !== "")
      return;
    if (this.#closed) {
      this.#fault(
        "rows",
        "damage",
        `There is more behind the line that ends its rows: ${JSON.stringify(statement.code.slice(0, 60))}.`,
      );
      return;
    }
    if (!isCommand(statement.code)) {
      this.#fault(
        "structure",
        "damage",
        `Its data is damaged at line ${statement.line}: ${JSON.stringify(statement.code.slice(0, 40))} is no SQL command.`,
      );
    }
    for (const { weight, what } of hostilityOf(statement)) {
      this.#fault("hostile", weight, `A statement in its data ${what}.`);
    }
    this.rows += insertedIn(statement.code)?.rows ?? 0;
  }

  metaCommand(text: string): void {
    const reason = metaHostility(text) ?? "has no place among rows";
    this.#fault(
      "hostile",
      "doubt",
      `Among its data is ${JSON.stringify(text.slice(0, 60))}, which ${reason}.`,
    );
  }

  comment(): void {
    // Only what psql would run counts.
  }

  carriageReturn(line: number): void {
    if (this.#carriageReturned) return;
    this.#carriageReturned = true;
    this.#fault(
      "line-ends",
      "damage",
      `Its line ends were converted: row ${line - 1} ends with a carriage return, which pg_dump never writes.`,
      "LF",
      "CR LF",
    );
  }

  #carriageReturned = false;

  #judgeEncoding(): void {
    const { firstZero, firstBad, zeroBytes } = this.#encoding;
    if (firstZero !== undefined) {
      this.#fault(
        "encoding",
        "damage",
        `It has ${zeroBytes} zero bytes, which no text of PostgreSQL holds; the first is in row ${firstZero.line - 1}.`,
      );
    }
    if (this.#utf8 && firstBad !== undefined) {
      this.#fault(
        "encoding",
        "damage",
        `The bytes at offset ${firstBad.offset} of its data, in row ${firstBad.line - 1}, are no UTF-8.`,
        "UTF-8",
        firstBad.bytes,
      );
    }
  }

  #fault(
    detector: Detector,
    weight: "damage" | "doubt" | "note",
    what: string,
    expected?: string,
    found?: string,
  ): void {
    const table = tableName(this.#entry.schema, this.#entry.name);
    this.#faults.add({
      detector,
      weight,
      subject: `table ${table} (${this.#where})`,
      what,
      expected,
      found,
    });
  }
}
