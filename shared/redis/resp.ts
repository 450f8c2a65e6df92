import type { Socket } from "node:net";

/** An error that the server answered; `code` is its first word, such as `NOPERM`. */
export class RedisRefusal extends Error {
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.name = "RedisRefusal";
    this.code = message.split(" ", 1)[0] ?? "";
  }
}

export type Reply = string | Buffer | number | null | RedisRefusal | readonly Reply[];

/** No answer that is wanted here is as long; a hostile length must not be believed. */
const LONGEST_TEXT = 512 * 1024 * 1024;
const LONGEST_LINE = 64 * 1024;
const MOST_ITEMS = 1024 * 1024;
const DEEPEST = 8;
/** A server from which nothing comes for so long, not even a sign of life, counts as gone. */
const SILENCE_MS = 120_000;

/** A command as servers read it. */
export function encode(command: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat([Buffer.from(`*${command.length}\r\n`), ...command.map(bulk)]);
}

function bulk(word: string | Buffer): Buffer {
  const bytes = typeof word === "string" ? Buffer.from(word) : word;
  return Buffer.concat([Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n")]);
}

/**
 * A connection that speaks RESP 2.
 *
 * Source: Redis serialization protocol specification.
 */
export class RespConnection {
  readonly #socket: Socket;
  readonly #silence: number;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, silence = SILENCE_MS) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    this.#silence = silence;
    socket.on("timeout", () =>
      socket.destroy(new Error(`nothing came from it for ${silence / 1000} s`)),
    );
  }

  /**
   * Sends a command and waits for its answer.
   *
   * @throws {RedisRefusal} when the server answers an error; what the socket throws.
   */
  async ask(...command: readonly (string | Buffer)[]): Promise<Reply> {
    this.send(command);
    const reply = await this.reply();
    if (reply instanceof RedisRefusal) throw reply;
    return reply;
  }

  /** An answer that must be text. */
  async text(...command: readonly (string | Buffer)[]): Promise<string> {
    const reply = await this.ask(...command);
    if (typeof reply === "string") return reply;
    if (Buffer.isBuffer(reply)) return reply.toString("utf8");
    throw new Error(`The server's answer to ${command[0]} is no text`);
  }

  /** Sends several commands at once; an error is among the answers. */
  async all(commands: readonly (readonly (string | Buffer)[])[]): Promise<readonly Reply[]> {
    for (const command of commands) this.send(command);
    const replies: Reply[] = [];
    while (replies.length < commands.length) replies.push(await this.reply());
    return replies;
  }

  send(command: readonly (string | Buffer)[]): void {
    this.#socket.write(encode(command));
  }

  /** Sends several commands in one go. */
  sendAll(commands: readonly (readonly (string | Buffer)[])[]): void {
    this.#socket.write(Buffer.concat(commands.map(encode)));
  }

  /**
   * Sends a command of which one word is long, as it comes, and no faster than the server takes it.
   *
   * @param long its bytes, of which there must be as many as `size` says.
   */
  async sendLong(
    before: readonly (string | Buffer)[],
    long: { readonly size: number; pieces(): AsyncIterable<Buffer> },
    after: readonly (string | Buffer)[],
  ): Promise<void> {
    const count = before.length + after.length + 1;
    this.#socket.write(`*${count}\r\n`);
    for (const word of before) this.#socket.write(bulk(word));
    this.#socket.write(`$${long.size}\r\n`);
    for await (const piece of long.pieces()) await this.#write(piece);
    this.#socket.write("\r\n");
    for (const word of after) this.#socket.write(bulk(word));
  }

  async #write(piece: Buffer): Promise<void> {
    if (this.#socket.destroyed) throw this.#socket.errored ?? new Closed();
    if (this.#socket.write(piece)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once("drain", resolve);
    this.#socket.once("close", resolve);
    await promise;
    this.#socket.off("drain", resolve);
    this.#socket.off("close", resolve);
  }

  /**
   * An answer that is a text, as it comes: how long it is, and its pieces, all of which have to be
   * read. Null where there is none.
   */
  async longReply(): Promise<{ size: number; pieces: AsyncGenerator<Buffer> } | null> {
    const line = await this.line();
    if (line.startsWith("-")) throw new RedisRefusal(line.slice(1));
    if (!line.startsWith("$")) throw new NoRedis(line);
    const size = length(line.slice(1), Number.MAX_SAFE_INTEGER);
    return size < 0 ? null : { size, pieces: this.#pieces(size) };
  }

  async *#pieces(size: number): AsyncGenerator<Buffer> {
    let left = size;
    while (left > 0) {
      if (this.#buffer.length === 0) await this.#more();
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
    await this.#need(2);
    this.#buffer = this.#buffer.subarray(2);
  }

  async reply(depth = 0): Promise<Reply> {
    const line = await this.line();
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new RedisRefusal(rest);
      case ":":
        return Number(rest);
      case "$":
        return await this.#bulk(length(rest, LONGEST_TEXT));
      case "*":
        return await this.#array(length(rest, MOST_ITEMS), depth);
    }
    throw new NoRedis(line);
  }

  async #bulk(size: number): Promise<Buffer | null> {
    if (size < 0) return null;
    await this.#need(size + 2);
    const bytes = Buffer.from(this.#buffer.subarray(0, size));
    this.#buffer = this.#buffer.subarray(size + 2);
    return bytes;
  }

  async #array(count: number, depth: number): Promise<readonly Reply[] | null> {
    if (count < 0) return null;
    if (depth >= DEEPEST) throw new NoRedis("*");
    const items: Reply[] = [];
    while (items.length < count) items.push(await this.reply(depth + 1));
    return items;
  }

  /** The next line, without its end. While a replica waits, the server sends bare line breaks. */
  async line(ending = "\r\n"): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(ending);
      if (end >= 0) {
        const line = this.#buffer.toString("utf8", 0, end);
        this.#buffer = this.#buffer.subarray(end + ending.length);
        return line;
      }
      if (this.#buffer.length > LONGEST_LINE)
        throw new NoRedis(this.#buffer.toString("latin1", 0, 40));
      await this.#more();
    }
  }

  /** What comes from now on, as it comes. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#buffer.length > 0) yield this.#buffer;
    this.#buffer = Buffer.alloc(0);
    for (;;) {
      const { done, value } = await this.#next();
      if (done) return;
      yield value;
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  async #need(count: number): Promise<void> {
    const parts = [this.#buffer];
    let size = this.#buffer.length;
    while (size < count) {
      const { done, value } = await this.#next();
      if (done) throw new Closed();
      parts.push(value);
      size += value.length;
    }
    this.#buffer = parts.length === 1 ? this.#buffer : Buffer.concat(parts);
  }

  /** Time counts only while something is waited for: whoever reads slowly is no silent server. */
  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#socket.setTimeout(this.#silence);
    try {
      return await this.#chunks.next();
    } finally {
      this.#socket.setTimeout(0);
    }
  }

  async #more(): Promise<void> {
    await this.#need(this.#buffer.length + 1);
  }
}

/** The server closed the connection. */
export class Closed extends Error {
  constructor() {
    super("the server closed the connection");
    this.name = "Closed";
  }
}

/** What answers is no Redis. */
export class NoRedis extends Error {
  constructor(said: string) {
    super(
      `what answers there does not speak Redis' protocol (it began with ${JSON.stringify(said.slice(0, 40))})`,
    );
    this.name = "NoRedis";
  }
}

function length(written: string, most: number): number {
  const value = Number(written);
  if (!/^-?\d+$/.test(written) || value < -1 || value > most) throw new NoRedis(written);
  return value;
}
