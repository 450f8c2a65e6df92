import { copyTargetOf } from "./copy-statement.ts";
import { RowCounter } from "./row-counter.ts";
import type { CopyBlock, SqlListener, Statement } from "./sql-listener.ts";
import { StatementText } from "./statement-text.ts";

/** What was open when the text ended. */
export interface OpenEnd {
  readonly what: string;
  readonly line: number;
}

const TAB = 9;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 39;
const DOUBLE_QUOTE = 34;
const DOLLAR = 36;
const DASH = 45;
const SLASH = 47;
const STAR = 42;
const BACKSLASH = 92;
const DOT = 46;
const SEMICOLON = 59;
const OPEN = 40;
const CLOSE = 41;
/** A line is compared with `\.` only where it is no longer than this. */
const END_LINE = 3;
const LONGEST_COMMENT = 4096;
/** Fewer bytes of rows are sooner read one by one than handed over. */
const WORTH_IT = 256;
/** Where the fast way gets no further than this, rows are unusual, and it waits for so many. */
const FEW = 8;
const WAIT = 1000;
const ROW_COUNTER = RowCounter.make();

type Mode =
  | "code"
  | "string"
  | "escape-string"
  | "identifier"
  | "dollar-tag"
  | "dollar"
  | "line-comment"
  | "block-comment"
  | "meta"
  | "copy-line"
  | "copy";

/** Bytes that mean something outside of quotes; everything else is only text. */
const SPECIAL = new Uint8Array(256);
for (const byte of [
  LINE_FEED,
  CARRIAGE_RETURN,
  QUOTE,
  DOUBLE_QUOTE,
  DOLLAR,
  DASH,
  BACKSLASH,
  SEMICOLON,
  OPEN,
  CLOSE,
]) {
  SPECIAL[byte] = 1;
}

/**
 * Reads plain SQL as psql does, in chunks cut anywhere: statements, strings, dollar quotes,
 * comments, the rows of COPY and psql's own commands.
 *
 * Source: psql's lexer as its manual and PostgreSQL's "Lexical Structure" tell it.
 */
export class SqlScanner {
  readonly #listener: SqlListener;
  readonly #text = new StatementText();
  #mode: Mode = "code";
  #base = 0;
  #position = 0;
  #line = 1;
  #openedAt = 1;
  #depth = 0;
  #nested = 0;
  #before = 0;
  #tag = "";
  #matched = 0;
  #escaped = false;
  #aside = "";
  #pendingCopy: CopyBlock | undefined;
  #block: CopyBlock | undefined;
  #fields = 1;
  #lineBytes = 0;
  #lineStart = "";
  /** So many rows are read one by one before the fast way is tried again. */
  #oneByOne = 0;
  /** Whether backslashes mean something in plain strings too. */
  #oldStrings = false;

  constructor(listener: SqlListener) {
    this.#listener = listener;
  }

  /** The line that it stands in, from 1. */
  get line(): number {
    return this.#line;
  }

  /** How many bytes it has read up to the end of what it last told its listener of. */
  get position(): number {
    return this.#position;
  }

  /** Whether a statement has begun that has not ended. */
  get isInStatement(): boolean {
    return !this.#text.isEmpty();
  }

  /** Whether it stands among the rows of a COPY. */
  get isInRows(): boolean {
    return this.#mode === "copy";
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
    this.#base += chunk.length;
  }

  /** Ends the text; gives what was still open. */
  end(): OpenEnd | undefined {
    if (this.#mode === "meta") this.#endMeta();
    if (this.#mode === "line-comment") this.#endComment();
    if (this.#block !== undefined) {
      return { what: `the rows of COPY ${this.#block.table}`, line: this.#block.line };
    }
    const words: Partial<Record<Mode, string>> = {
      string: "a string",
      "escape-string": "a string",
      identifier: "a quoted name",
      dollar: `a string between ${this.#tag}`,
      "block-comment": "a comment",
    };
    const what = words[this.#mode];
    if (what !== undefined) return { what, line: this.#openedAt };
    if (this.#pendingCopy !== undefined) {
      return { what: `the rows of COPY ${this.#pendingCopy.table}`, line: this.#pendingCopy.line };
    }
    if (this.#text.isEmpty()) return undefined;
    return { what: "a statement", line: this.#text.line };
  }

  #step(chunk: Buffer, at: number): number {
    switch (this.#mode) {
      case "copy":
        return this.#inCopy(chunk, at);
      case "code":
        return this.#inCode(chunk, at);
      case "string":
      case "escape-string":
        return this.#inString(chunk, at);
      case "identifier":
        return this.#inIdentifier(chunk, at);
      case "dollar-tag":
        return this.#inDollarTag(chunk, at);
      case "dollar":
        return this.#inDollar(chunk, at);
      case "block-comment":
        return this.#inBlockComment(chunk, at);
      default:
        return this.#inLine(chunk, at);
    }
  }

  #inCode(chunk: Buffer, start: number): number {
    let at = start;
    let before = this.#before;
    let byte = 0;
    while (at < chunk.length) {
      byte = chunk[at] ?? 0;
      if (SPECIAL[byte] === 1 || (byte === STAR && before === SLASH)) break;
      before = byte;
      at += 1;
    }
    if (at > start) {
      this.#text.code(chunk, start, at, this.#line);
    }
    if (at === chunk.length) {
      this.#before = before;
      return at;
    }
    this.#before = byte;
    return this.#special(chunk, at, byte, before);
  }

  /** A byte of meaning, at `at`; `before` is the byte of code just before it. */
  #special(chunk: Buffer, at: number, byte: number, before: number): number {
    switch (byte) {
      case LINE_FEED:
        this.#text.space();
        this.#line += 1;
        break;
      case CARRIAGE_RETURN:
        this.#listener.carriageReturn(this.#line);
        this.#text.space();
        break;
      case QUOTE:
        this.#openString(before);
        break;
      case DOUBLE_QUOTE:
        this.#open("identifier");
        this.#text.code(chunk, at, at + 1, this.#line);
        break;
      case DOLLAR:
        this.#openDollar(chunk, at, before);
        break;
      case DASH:
        this.#dash(chunk, at, before);
        break;
      case STAR:
        this.#text.takeBack();
        this.#open("block-comment");
        this.#nested = 1;
        this.#before = 0;
        break;
      case BACKSLASH:
        this.#open("meta");
        this.#aside = "\\";
        break;
      case SEMICOLON:
        this.#semicolon(chunk, at);
        break;
      default:
        if (byte === OPEN) this.#depth += 1;
        if (byte === CLOSE && this.#depth > 0) this.#depth -= 1;
        this.#text.code(chunk, at, at + 1, this.#line);
    }
    return at + 1;
  }

  #dash(chunk: Buffer, at: number, before: number): void {
    if (before !== DASH) {
      this.#text.code(chunk, at, at + 1, this.#line);
      return;
    }
    this.#text.takeBack();
    this.#open("line-comment");
    this.#aside = "--";
    this.#before = 0;
  }

  #openString(before: number): void {
    const escapes = (before === 69 || before === 101) && this.#text.endsWithLoneLetter();
    this.#open(escapes || this.#oldStrings ? "escape-string" : "string");
    this.#text.openString(this.#line);
  }

  /** A dollar begins a quote unless it is part of a name or a parameter. */
  #openDollar(chunk: Buffer, at: number, before: number): void {
    if (isNamePart(before)) {
      this.#text.code(chunk, at, at + 1, this.#line);
      return;
    }
    this.#open("dollar-tag");
    this.#tag = "$";
  }

  #semicolon(chunk: Buffer, at: number): void {
    this.#text.code(chunk, at, at + 1, this.#line);
    if (this.#depth > 0 || this.#text.isInsideBody()) return;
    this.#position = this.#base + at + 1;
    this.#endStatement();
  }

  #endStatement(): void {
    const statement = this.#text.take();
    this.#depth = 0;
    this.#before = 0;
    this.#noteStrings(statement);
    this.#listener.statement(statement);
    const target = copyTargetOf(statement.code);
    if (target === undefined) return;
    this.#pendingCopy = {
      ...target,
      line: statement.line,
      rows: 0,
      wrongRows: 0,
      firstWrong: undefined,
    };
    this.#mode = "copy-line";
    this.#aside = "";
  }

  #noteStrings(statement: Statement): void {
    const setting = /^SET\s+standard_conforming_strings\s*(?:=|TO)\s*(\w+|'')/i.exec(
      statement.code,
    );
    if (setting === null) return;
    const value = setting[1] === "''" ? statement.strings[0] : setting[1];
    this.#oldStrings = /^(off|false|no|0)$/i.test(value ?? "");
  }

  #open(mode: Mode): void {
    this.#mode = mode;
    this.#openedAt = this.#line;
  }

  #inString(chunk: Buffer, start: number): number {
    const escapes = this.#mode === "escape-string";
    let at = start;
    for (; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === LINE_FEED) this.#line += 1;
      // What follows a backslash is content, be it a quote.
      if (this.#escaped) this.#escaped = false;
      else if (byte === QUOTE) break;
      else if (escapes && byte === BACKSLASH) this.#escaped = true;
    }
    this.#text.string(chunk, start, at);
    if (at === chunk.length) return at;
    this.#text.closeString();
    this.#mode = "code";
    this.#before = QUOTE;
    return at + 1;
  }

  #inIdentifier(chunk: Buffer, start: number): number {
    const found = chunk.indexOf(DOUBLE_QUOTE, start);
    const end = found === -1 ? chunk.length : found + 1;
    this.#countLines(chunk, start, end);
    this.#text.code(chunk, start, end, this.#line);
    if (found !== -1) {
      this.#mode = "code";
      this.#before = DOUBLE_QUOTE;
    }
    return end;
  }

  #inDollarTag(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      if (byte === DOLLAR) {
        this.#tag += "$";
        this.#mode = "dollar";
        this.#matched = 0;
        this.#text.openString(this.#line);
        return at + 1;
      }
      const digit = byte >= 48 && byte <= 57;
      if (!isNamePart(byte) || (digit && this.#tag.length === 1) || this.#tag.length > 64) {
        // It was a parameter such as $1, or a lone dollar.
        this.#text.word(this.#tag, this.#line);
        this.#mode = "code";
        this.#before = DOLLAR;
        return at;
      }
      this.#tag += String.fromCharCode(byte);
      at += 1;
    }
    return at;
  }

  #inDollar(chunk: Buffer, start: number): number {
    const tag = this.#tag;
    let at = start;
    while (at < chunk.length) {
      if (this.#matched === 0) {
        const found = chunk.indexOf(DOLLAR, at);
        const until = found === -1 ? chunk.length : found;
        this.#countLines(chunk, at, until);
        at = until;
        if (found === -1) break;
        this.#matched = 1;
        at += 1;
        continue;
      }
      const byte = chunk[at] ?? 0;
      if (byte === tag.charCodeAt(this.#matched)) {
        this.#matched += 1;
        at += 1;
        if (this.#matched < tag.length) continue;
        this.#text.body(chunk, start, at);
        this.#text.closeBody(tag.length);
        this.#mode = "code";
        this.#before = DOLLAR;
        return at;
      }
      if (byte === DOLLAR) {
        this.#matched = 1;
        at += 1;
      } else this.#matched = 0;
    }
    this.#text.body(chunk, start, at);
    return at;
  }

  #inBlockComment(chunk: Buffer, start: number): number {
    let at = start;
    let before = this.#before;
    while (at < chunk.length) {
      const byte = chunk[at] ?? 0;
      at += 1;
      if (byte === LINE_FEED) this.#line += 1;
      if (before === STAR && byte === SLASH) {
        this.#nested -= 1;
        before = 0;
        if (this.#nested === 0) {
          this.#mode = "code";
          this.#text.space();
          break;
        }
      } else if (before === SLASH && byte === STAR) {
        this.#nested += 1;
        before = 0;
      } else before = byte;
    }
    this.#before = this.#mode === "code" ? 0 : before;
    return at;
  }

  /** What ends with its line: comments, psql's commands, what follows the semicolon of a COPY. */
  #inLine(chunk: Buffer, start: number): number {
    const found = chunk.indexOf(LINE_FEED, start);
    const end = found === -1 ? chunk.length : found;
    if (this.#aside.length < LONGEST_COMMENT) {
      this.#aside += chunk.toString("latin1", start, Math.min(end, start + LONGEST_COMMENT));
    }
    if (found === -1) return end;
    if (this.#aside.endsWith("\r")) {
      this.#listener.carriageReturn(this.#line);
      this.#aside = this.#aside.slice(0, -1);
    }
    this.#position = this.#base + end + 1;
    if (this.#mode === "line-comment") this.#endComment();
    else if (this.#mode === "meta") this.#endMeta();
    else this.#beginCopy();
    this.#line += 1;
    return end + 1;
  }

  #endComment(): void {
    this.#listener.comment(utf8(this.#aside), this.#line);
    this.#text.space();
    this.#backToCode();
  }

  #endMeta(): void {
    this.#listener.metaCommand(utf8(this.#aside), this.#line);
    this.#backToCode();
  }

  #backToCode(): void {
    this.#mode = "code";
    this.#aside = "";
    this.#before = 0;
  }

  #beginCopy(): void {
    const block = this.#pendingCopy;
    this.#pendingCopy = undefined;
    // psql reads the rows first and then goes on with what is left of this line.
    if (this.#aside.trim() !== "") this.#listener.metaCommand(utf8(this.#aside.trim()), this.#line);
    this.#backToCode();
    if (block === undefined) return;
    this.#block = block;
    this.#mode = "copy";
    this.#fields = 1;
    this.#lineBytes = 0;
    this.#lineStart = "";
    this.#listener.copyBegins(block);
  }

  /**
   * The rows of a COPY: one line each, since pg_dump escapes every line break, tab and carriage
   * return of a value. Nearly all of a dump is here, so nearly all of it goes by the fast way.
   */
  #inCopy(chunk: Buffer, from: number): number {
    const block = this.#block;
    if (block === undefined) return chunk.length;
    let at = from;
    while (at < chunk.length && this.#mode === "copy") {
      if (this.#lineBytes === 0) at = this.#wholeRows(chunk, at, block);
      at = this.#row(chunk, at, block);
    }
    return at;
  }

  /** Skips rows that are as they should be, from the beginning of one; gives where the next is. */
  #wholeRows(chunk: Buffer, start: number, block: CopyBlock): number {
    const columns = block.columns?.length ?? 0;
    if (columns === 0 || chunk.length - start < WORTH_IT) return start;
    if (chunk[start] === BACKSLASH && chunk[start + 1] === DOT) return start;
    if (this.#oneByOne > 0) {
      this.#oneByOne -= 1;
      return start;
    }
    const counted = ROW_COUNTER?.count(chunk, start, columns - 1);
    if (counted === undefined) return start;
    if (counted.rows < FEW) this.#oneByOne = WAIT;
    block.rows += counted.rows;
    this.#line += counted.rows;
    return counted.at;
  }

  /** Reads one row to its end, or what there is of it. */
  #row(chunk: Buffer, start: number, block: CopyBlock): number {
    let fields = this.#fields;
    let at = start;
    for (; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (byte >= 14) continue;
      if (byte === LINE_FEED) break;
      if (byte === TAB) fields += 1;
      else if (byte === CARRIAGE_RETURN) this.#listener.carriageReturn(this.#line);
    }
    if (at === chunk.length) {
      this.#fields = fields;
      if (this.#lineBytes <= END_LINE)
        this.#lineStart += chunk.toString("latin1", start, start + 4);
      this.#lineBytes += at - start;
      return at;
    }
    if (at - start + this.#lineBytes <= END_LINE && this.#isEnd(chunk, start, at)) {
      this.#position = this.#base + at + 1;
      this.#endCopy(block);
      return at + 1;
    }
    this.#endRow(block, fields);
    return at + 1;
  }

  #endRow(block: CopyBlock, fields: number): void {
    block.rows += 1;
    this.#line += 1;
    const wanted = block.columns === undefined ? fields : Math.max(block.columns.length, 1);
    if (fields !== wanted) this.#wrongRow(block, fields);
    this.#fields = 1;
    this.#lineBytes = 0;
    this.#lineStart = "";
  }

  #isEnd(chunk: Buffer, start: number, at: number): boolean {
    const line = this.#lineStart + chunk.toString("latin1", start, at);
    return line === "\\." || line === "\\.\r";
  }

  #wrongRow(block: CopyBlock, fields: number): void {
    block.wrongRows += 1;
    block.firstWrong ??= { line: this.#line - 1, fields };
  }

  #endCopy(block: CopyBlock): void {
    this.#line += 1;
    this.#block = undefined;
    this.#backToCode();
    this.#listener.copyEnds(block);
  }

  #countLines(chunk: Buffer, start: number, end: number): void {
    for (let at = chunk.indexOf(LINE_FEED, start); at !== -1 && at < end; ) {
      this.#line += 1;
      at = chunk.indexOf(LINE_FEED, at + 1);
    }
  }
}

function isNamePart(byte: number): boolean {
  return (
    (byte >= 97 && byte <= 122) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= 48 && byte <= 57) ||
    byte === 95 ||
    byte >= 128
  );
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
