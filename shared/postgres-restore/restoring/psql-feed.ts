import { randomBytes } from "node:crypto";
import { finished } from "node:stream/promises";
import type { Ended, Running } from "../../place/index.ts";
import { environmentOf } from "../../postgres/index.ts";
import type { RestoreTarget } from "../target.ts";
import { eachLine } from "./lines.ts";

/** psql has refused a statement, and has ended with it. */
export interface Refusal {
  /** Where psql was in what it was fed, counted from 1; undefined where it did not say. */
  readonly line: number | undefined;
  readonly said: string;
}

/**
 * A psql that is fed statements and rows and ends at the first error, so that what was meant as
 * rows is never taken for commands. It takes no meta-command where it can be told so.
 */
export class PsqlFeed {
  readonly #running: Running;
  readonly #mark = `sw-${randomBytes(12).toString("hex")}`;
  readonly #waiting = new Map<number, () => void>();
  #marks = 0;
  #ended: Ended | undefined;
  readonly #over: Promise<Ended>;
  /** Lines that it has been given. */
  lines = 0;

  private constructor(running: Running) {
    this.#running = running;
    running.stdin.on("error", () => {});
    const mark = new RegExp(`${this.#mark}-(\\d+)`);
    const read = eachLine(running.stdout, (line) => {
      const found = mark.exec(line)?.[1];
      if (found !== undefined) this.#waiting.get(Number(found))?.();
    }).catch(() => {});
    this.#over = running.ended.then(async (ended) => {
      await read;
      this.#ended = ended;
      for (const resolve of this.#waiting.values()) resolve();
      return ended;
    });
  }

  static async open(
    target: RestoreTarget,
    database: string,
    restricts: boolean,
    signal: AbortSignal,
  ): Promise<PsqlFeed> {
    const connection = target.connection(database, "restorer");
    const options = ["ON_ERROR_STOP=1", "VERBOSITY=default", "SHOW_CONTEXT=errors"];
    const running = await target.place.start(
      {
        program: target.programs.psql,
        args: [
          ...["-X", "-q", "-A", "-t", "-w", "-f", "-", "-d", connection.conninfo || database],
          ...options.flatMap((option) => ["-v", option]),
        ],
        environment: environmentOf(connection),
        input: true,
      },
      signal,
    );
    const feed = new PsqlFeed(running);
    if (restricts) await feed.write(`\\restrict ${randomBytes(16).toString("hex")}\n`);
    return feed;
  }

  /** Whether it has ended, as it does at the first error. */
  get ended(): boolean {
    return this.#ended !== undefined;
  }

  /** Gives it text or rows, and waits while it is busy. What it does not take is lost. */
  async write(content: string | Buffer): Promise<void> {
    if (this.#ended !== undefined) return;
    const bytes = typeof content === "string" ? Buffer.from(content, "latin1") : content;
    for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) this.lines += 1;
    if (this.#running.stdin.write(bytes)) return;
    const { stdin } = this.#running;
    await Promise.race([
      new Promise<void>((resolve) => {
        stdin.once("drain", resolve);
      }),
      this.#over,
    ]);
  }

  /** Waits until all that it was given is done. False where it has ended instead. */
  async settle(): Promise<boolean> {
    this.#marks += 1;
    const id = this.#marks;
    const seen = new Promise<void>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    await this.write(`SELECT '${this.#mark}-${id}';\n`);
    if (this.#ended === undefined) await seen;
    this.#waiting.delete(id);
    return this.#ended === undefined;
  }

  /** Closes its input and waits for its end. */
  async close(): Promise<Ended> {
    this.#running.stdin.end();
    await finished(this.#running.stdin).catch(() => {});
    return await this.#over;
  }

  /** Why it has ended. */
  async refusal(): Promise<Refusal> {
    const { stderr, message } = await this.#over;
    const at = stderr.search(/(?:^|\n)psql:<stdin>:\d+: (?:ERROR|FATAL|PANIC|error)/);
    const words = at < 0 ? stderr : stderr.slice(at).trimStart();
    const [first = ""] = words.split("\n");
    const line = /^psql:<stdin>:(\d+): /.exec(first)?.[1];
    const details = words
      .split("\n")
      .slice(1)
      .filter((text) => /^(?:DETAIL|CONTEXT): /.test(text))
      .map((text) => text.replace(/\s+/g, " "));
    const said = first.replace(/^psql:<stdin>:\d+: /, "").replace(/^(?:ERROR|FATAL): +/, "");
    return {
      line: line === undefined ? undefined : Number(line),
      said: [said === "" ? message : said, ...details.slice(0, 2)].join("; "),
    };
  }
}
