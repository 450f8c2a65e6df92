import { tokenEnd } from "./tokens.ts";

/** A piece of a plain dump, in its order. */
export type Piece =
  | {
      readonly kind: "statement";
      /** Whole, with its semicolon; bytes as latin1, for its encoding may be any. */
      readonly text: string;
      /** The line that it begins on, counted from 1. */
      readonly line: number;
    }
  | { readonly kind: "meta"; readonly text: string; readonly line: number }
  /** Rows of the COPY statement before it. */
  | { readonly kind: "rows"; readonly bytes: Buffer }
  /** After the last row; the line that ends them has been taken out. */
  | { readonly kind: "rows-end"; readonly line: number }
  /** The dump ended within something. */
  | { readonly kind: "cut"; readonly within: "statement" | "rows"; readonly line: number }
  /** A statement that is longer than can be held; nothing after it can be read. */
  | { readonly kind: "too-long"; readonly line: number };

const LONGEST_STATEMENT = 48 * 1024 * 1024;
const COPY_FROM_STDIN = /^COPY\s[\s\S]*\sFROM\s+stdin\b[\s\S]*;$/i;
const END_OF_ROWS = /^\\\.\r?(?:\n|$)/;

/**
 * Takes a plain dump apart as psql reads it: statements, meta-commands, and the rows of COPY. Only
 * the first two are ever held as a whole.
 *
 * Source: the lexer of psql, src/fe_utils/psqlscan.l.
 */
export class StatementReader {
  /** Backslashes escape within plain quotes, as they did before standard_conforming_strings. */
  escapes = false;
  /** The encoding is one in which a character's second byte may be a backslash or a quote. */
  wide = false;
  #inRows = false;
  #rows: Buffer = Buffer.alloc(0);
  /** Whether the rows at hand go on with a line that has begun before. */
  #midLine = false;
  /** Whether the line of the COPY statement itself is not over yet. */
  #skipping = false;
  #text = "";
  /** Where the statement begins in the text, and where the next token does. */
  #from = 0;
  #at = 0;
  #open = false;
  #line = 1;
  #began = 1;
  #parentheses = 0;
  #words: string[] = [];
  #blocks = 0;
  /** Before that much text is at hand, the token that is not whole need not be looked at again. */
  #enough = 0;
  #broken = false;

  /** @param last whether nothing comes after it. */
  *read(chunk: Buffer, last = false): Generator<Piece> {
    if (this.#broken) return;
    if (this.#inRows) {
      this.#rows = this.#rows.length === 0 ? chunk : Buffer.concat([this.#rows, chunk]);
    } else this.#text += chunk.toString("latin1");
    while (!this.#broken) {
      const before = this.#inRows;
      if (before) yield* this.#passRows(last);
      else yield* this.#readStatements(last);
      if (this.#inRows === before) break;
    }
    if (last) yield* this.#end();
  }

  *#end(): Generator<Piece> {
    if (this.#inRows) yield { kind: "cut", within: "rows", line: this.#line };
    else if (this.#open) yield { kind: "cut", within: "statement", line: this.#began };
  }

  /** Passes rows on as they are, up to the line that ends them. */
  *#passRows(last: boolean): Generator<Piece> {
    const data = this.#skipping ? this.#rows.subarray(nextLineOf(this.#rows, 0)) : this.#rows;
    this.#skipping &&= !this.#rows.includes(0x0a);
    const end = endOfRows(data, last, this.#midLine);
    const bytes = data.subarray(0, end.rows);
    if (bytes.length > 0) {
      this.#midLine = bytes[bytes.length - 1] !== 0x0a;
      this.#line += countLines(bytes);
      yield { kind: "rows", bytes };
    }
    if (end.next === undefined) {
      this.#rows = data.subarray(end.rows);
      return;
    }
    yield { kind: "rows-end", line: this.#line };
    this.#line += 1;
    this.#inRows = false;
    this.#rows = Buffer.alloc(0);
    this.#restart(data.subarray(end.next).toString("latin1"));
  }

  *#readStatements(last: boolean): Generator<Piece> {
    if (!last && this.#text.length < this.#enough) return;
    this.#enough = 0;
    while (this.#at < this.#text.length && !this.#inRows) {
      const piece = this.#step(last);
      if (piece === "more") break;
      if (piece !== undefined) yield piece;
    }
    if (this.#inRows) return;
    const kept = this.#open ? this.#from : this.#at;
    this.#restart(this.#text.slice(kept), this.#at - kept);
    if (this.#text.length > LONGEST_STATEMENT) {
      this.#broken = true;
      this.#open = false;
      yield { kind: "too-long", line: this.#began };
    }
  }

  #restart(text: string, at = 0): void {
    this.#text = text;
    this.#from = 0;
    this.#at = at;
    if (this.#enough > 0) this.#enough = text.length + Math.max(1, (text.length - at) >> 1);
  }

  /** Reads one token. */
  #step(last: boolean): Piece | "more" | undefined {
    const text = this.#text;
    const at = this.#at;
    const token = tokenEnd(text, at, this);
    if (token.end === undefined || (token.end === text.length && !last)) {
      // A blank at the end is complete as it is, and a semicolon ends what is before it.
      if (!(token.kind === "blank" || token.kind === "semicolon")) {
        if (!last) {
          this.#enough = 1;
          return "more";
        }
        if (token.end === undefined) {
          if (token.kind !== "comment") this.#startAt(at);
          this.#at = text.length;
          return undefined;
        }
      }
    }
    const end = token.end ?? text.length;
    const began = this.#line;
    this.#at = end;
    if (token.kind === "meta") {
      this.#line += 1;
      this.#open = false;
      return { kind: "meta", text: utf8(text.slice(at, end).trim()), line: began };
    }
    if (token.kind !== "blank" && token.kind !== "comment") this.#startAt(at);
    this.#line += countBreaks(text, at, end);
    return this.#take(token.kind, text.slice(at, Math.min(end, at + 64)));
  }

  #startAt(at: number): void {
    if (this.#open) return;
    this.#open = true;
    this.#from = at;
    this.#began = this.#line;
    this.#parentheses = 0;
    this.#words = [];
    this.#blocks = 0;
  }

  #take(kind: string, token: string): Piece | undefined {
    if (kind === "open") this.#parentheses += 1;
    else if (kind === "close") this.#parentheses = Math.max(0, this.#parentheses - 1);
    else if (kind === "word") this.#word(token.toLowerCase());
    else if (kind === "semicolon" && this.#parentheses === 0 && this.#blocks === 0) {
      return this.#statement();
    }
    return undefined;
  }

  /** Semicolons between BEGIN ATOMIC and END of a routine's body do not end the statement. */
  #word(word: string): void {
    if (this.#words.length < 4) this.#words.push(word);
    const [first, second, third, fourth] = this.#words;
    if (first !== "create" || this.#parentheses > 0) return;
    const made = second === "or" && third === "replace" ? fourth : second;
    if (made !== "function" && made !== "procedure") return;
    if (word === "begin" || (word === "case" && this.#blocks > 0)) this.#blocks += 1;
    else if (word === "end" && this.#blocks > 0) this.#blocks -= 1;
  }

  #statement(): Piece | undefined {
    const text = this.#text.slice(this.#from, this.#at);
    this.#open = false;
    if (text === ";") return undefined;
    if (COPY_FROM_STDIN.test(text)) {
      // The rows begin on the next line.
      const newline = this.#text.indexOf("\n", this.#at);
      const begin = newline < 0 ? this.#text.length : newline + 1;
      this.#skipping = newline < 0;
      this.#line += 1;
      this.#inRows = true;
      this.#midLine = false;
      this.#rows = Buffer.from(this.#text.slice(begin), "latin1");
      this.#text = "";
      this.#at = 0;
    }
    return { kind: "statement", text, line: this.#began };
  }
}

/** What a statement's bytes say in UTF-8. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}

/** How far the rows go, and where the text after them begins, if their end is at hand. */
function endOfRows(
  data: Buffer,
  last: boolean,
  midLine: boolean,
): { rows: number; next: number | undefined } {
  let line = midLine ? nextLineOf(data, 0) : 0;
  while (line < data.length) {
    const rest = data.toString("latin1", line, Math.min(line + 4, data.length));
    const end = END_OF_ROWS.exec(rest);
    const whole = end !== null && (end[0].endsWith("\n") || last);
    if (whole) return { rows: line, next: line + end[0].length };
    if (!last && rest.length < 4 && "\\.\r\n".startsWith(rest.replace("\n", "\r\n"))) break;
    const next = data.indexOf("\n\\.", line);
    if (next < 0) {
      line = lastLineOf(data, line, last);
      break;
    }
    line = next + 1;
  }
  return { rows: line, next: undefined };
}

function nextLineOf(data: Buffer, from: number): number {
  const newline = data.indexOf(0x0a, from);
  return newline < 0 ? data.length : newline + 1;
}

/** What could be the beginning of the end of the rows is kept for the next chunk. */
function lastLineOf(data: Buffer, from: number, last: boolean): number {
  if (last) return data.length;
  const newline = data.lastIndexOf(0x0a);
  if (newline < from) return data.length;
  const rest = data.toString("latin1", newline + 1, Math.min(newline + 5, data.length));
  return "\\.\r\n".startsWith(rest) ? newline + 1 : data.length;
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count += 1;
  return count;
}

function countBreaks(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) {
    count += 1;
  }
  return count;
}

/** The statements of a text that has no rows in it. */
export function statementsIn(text: string): string[] {
  const pieces = [...new StatementReader().read(Buffer.from(`${text}\n`), true)];
  return pieces.flatMap((piece) => (piece.kind === "statement" ? [utf8(piece.text)] : []));
}
