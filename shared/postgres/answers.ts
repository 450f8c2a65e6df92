import { randomBytes } from "node:crypto";

/** What the session's psql said to one statement. */
export interface Answer {
  /** One per row: with `-A -t -0` psql ends each with a NUL, which no text of a server holds. */
  readonly records: readonly string[];
  /** `00000` where the statement succeeded. */
  readonly sqlstate: string;
  readonly message: string;
}

/**
 * Marks of one session's answers: a text that nobody who does not know it can put into one. psql
 * is asked to print it after each statement, together with how the statement went.
 */
export class Marks {
  readonly #mark = `sw-${randomBytes(12).toString("hex")}`;

  /** Lines for psql that run a statement, whole and on lines of its own, and mark the end. */
  around(statement: string): string {
    return [
      // psql sets them only when something fails.
      "\\set LAST_ERROR_SQLSTATE 00000",
      "\\set LAST_ERROR_MESSAGE ''",
      statement,
      `\\echo ${this.#mark} :LAST_ERROR_SQLSTATE`,
      "\\echo :LAST_ERROR_MESSAGE",
      `\\echo ${this.#mark}.`,
      "",
    ].join("\n");
  }

  /** Whether the answer is whole, by its last bytes. */
  endsIn(tail: Buffer): boolean {
    return tail.toString("latin1").endsWith(`${this.#mark}.\n`);
  }

  /** How many bytes `endsIn` has to see. */
  get length(): number {
    return this.#mark.length + 2;
  }

  /** @param text a whole answer. */
  read(text: string): Answer {
    const begin = text.lastIndexOf(`${this.#mark} `);
    const end = text.lastIndexOf(`${this.#mark}.`);
    const line = text.indexOf("\n", begin);
    const sqlstate = text.slice(begin + this.#mark.length + 1, line).trim();
    const message = text.slice(line + 1, end).trim();
    const records = text.slice(0, begin).split("\0").slice(0, -1);
    return { records, sqlstate, message };
  }
}
