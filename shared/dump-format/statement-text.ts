import type { Statement } from "./sql-listener.ts";

/** Code beyond this is no statement that pg_dump writes, except rows of INSERT. */
const LONGEST_CODE = 1_048_576;
const LONGEST_STRING = 512;
const LONGEST_BODY = 262_144;
const MOST_STRINGS = 32;

/** Collects a statement from slices of chunks. */
export class StatementText {
  #code = "";
  #strings: string[] = [];
  #bodies: string[] = [];
  #string = "";
  #body = "";
  #cut = false;
  line = 1;

  isEmpty(): boolean {
    return this.#code.trim() === "";
  }

  code(chunk: Buffer, start: number, end: number, line: number): void {
    this.word(chunk.toString("latin1", start, end), line);
  }

  word(text: string, line: number): void {
    if (this.#code === "") {
      const trimmed = text.trimStart();
      if (trimmed === "") return;
      this.line = line;
      this.#code = trimmed;
      return;
    }
    if (this.#code.length < LONGEST_CODE) this.#code += text;
    else this.#cut = true;
  }

  /** Whatever separates words, once. */
  space(): void {
    if (this.#code !== "" && !this.#code.endsWith(" ")) this.#code += " ";
  }

  takeBack(): void {
    this.#code = this.#code.slice(0, -1);
  }

  /** Whether the last thing is the E of E'…', rather than the end of a name. */
  endsWithLoneLetter(): boolean {
    return /(^|[^A-Za-z0-9_$\x80-\xff])[eE]$/.test(this.#code.slice(-2));
  }

  openString(line: number): void {
    this.#string = "";
    this.#body = "";
    this.word("'", line);
  }

  string(chunk: Buffer, start: number, end: number): void {
    const room = LONGEST_STRING - this.#string.length;
    if (room > 0) this.#string += chunk.toString("latin1", start, Math.min(end, start + room));
  }

  closeString(): void {
    if (this.#strings.length < MOST_STRINGS) this.#strings.push(utf8(this.#string));
    this.#close();
  }

  body(chunk: Buffer, start: number, end: number): void {
    const room = LONGEST_BODY - this.#body.length;
    if (room > 0) this.#body += chunk.toString("latin1", start, Math.min(end, start + room));
    else this.#cut = true;
  }

  closeBody(tagLength: number): void {
    if (this.#bodies.length < MOST_STRINGS)
      this.#bodies.push(utf8(this.#body.slice(0, -tagLength)));
    this.#close();
  }

  #close(): void {
    if (this.#code.length < LONGEST_CODE) this.#code += "'";
  }

  /**
   * Whether a semicolon stands inside of a function's body that is written without quotes, as psql
   * tells it: by BEGIN, CASE and END behind CREATE FUNCTION.
   */
  isInsideBody(): boolean {
    if (!/^CREATE\b/i.test(this.#code)) return false;
    const words = wordsOutsideParentheses(this.#code);
    const start = words.slice(0, 4).join(" ");
    if (!/^create (or replace )?(function|procedure)\b/.test(start)) return false;
    let depth = 0;
    for (const word of words) {
      if (word === "begin" || (word === "case" && depth > 0)) depth += 1;
      else if (word === "end" && depth > 0) depth -= 1;
    }
    return depth > 0;
  }

  take(): Statement {
    const statement = {
      line: this.line,
      code: utf8(this.#code.trim()),
      strings: this.#strings,
      bodies: this.#bodies,
      cut: this.#cut,
    };
    this.#code = "";
    this.#strings = [];
    this.#bodies = [];
    this.#cut = false;
    return statement;
  }
}

function wordsOutsideParentheses(code: string): string[] {
  const words: string[] = [];
  let depth = 0;
  for (const [token] of code.matchAll(/"(?:[^"]|"")*"|[A-Za-z_\x80-\xff][\w$\x80-\xff]*|[()]/g)) {
    if (token === "(") depth += 1;
    else if (token === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0 && !token.startsWith('"')) words.push(token.toLowerCase());
  }
  return words;
}

function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
