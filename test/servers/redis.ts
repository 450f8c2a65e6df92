import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A Redis server of a test's own, on a Unix socket. */
export class RedisServer {
  readonly folder: string;
  readonly #programs: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(folder: string, programs: string, settings: readonly string[]) {
    this.folder = folder;
    this.#programs = programs;
    this.#settings = settings;
  }

  /**
   * @param programs the folder with redis-server.
   * @param settings lines of its configuration; a snapshot is sent at once unless they say else.
   */
  static async start(
    programs: string,
    settings: readonly string[] = [],
    { sentinel }: { readonly sentinel?: readonly string[] } = {},
  ): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), "seaworthy-redis-server-"));
    const server = new RedisServer(folder, programs, settings);
    await server.start(sentinel);
    return server;
  }

  get socket(): string {
    return join(this.folder, "redis.sock");
  }

  get url(): string {
    return `unix://${this.socket}`;
  }

  get rdb(): string {
    return join(this.folder, "dump.rdb");
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(sentinel?: readonly string[]): Promise<void> {
    const server = ["port 0", 'save ""', "repl-diskless-sync-delay 0", ...this.#settings];
    const path = join(this.folder, "server.conf");
    const place = [`unixsocket ${this.socket}`, `dir ${this.folder}`, "logfile server.log"];
    await writeFile(path, [...place, ...(sentinel ?? server)].join("\n"));
    const args = sentinel === undefined ? [path] : [path, "--sentinel"];
    this.#child = spawn(join(this.#programs, "redis-server"), args, { stdio: "ignore" });
    while (!(await answers(this.socket))) {
      if (this.#child.exitCode !== null) throw new Error(await this.log());
      await delay(10);
    }
  }

  async log(): Promise<string> {
    return await readFile(join(this.folder, "server.log"), "utf8").catch(() => "");
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  return await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  }).finally(() => socket.destroy());
}
