import type { Reply, RespConnection } from "./resp.ts";

const MOST_COMMANDS = 500;
const MOST_BYTES = 1024 * 1024;

type Command = readonly (string | Buffer)[];

/** Commands that are sent some hundred at a time, each with somebody who takes its answer. */
export class Pipeline {
  readonly #redis: RespConnection;
  #commands: Command[] = [];
  #takers: ((reply: Reply) => void)[] = [];
  #bytes = 0;

  constructor(redis: RespConnection) {
    this.#redis = redis;
  }

  /**
   * Puts a command in line, and has all sent when there are enough.
   *
   * @param bytes that it and its answer take, about.
   */
  async add(command: Command, bytes: number, take: (reply: Reply) => void): Promise<void> {
    this.#commands.push(command);
    this.#takers.push(take);
    this.#bytes += bytes + 64;
    if (this.#commands.length >= MOST_COMMANDS || this.#bytes >= MOST_BYTES) await this.flush();
  }

  /** Sends what is in line, and waits for every answer. */
  async flush(): Promise<void> {
    if (this.#commands.length === 0) return;
    const takers = this.#takers;
    this.#redis.sendAll(this.#commands);
    this.#commands = [];
    this.#takers = [];
    this.#bytes = 0;
    for (const take of takers) take(await this.#redis.reply());
  }
}
