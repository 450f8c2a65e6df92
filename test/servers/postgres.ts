import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfiguration } from "../testbed/configuration.ts";
import { freePort } from "./free-port.ts";

/** PostgreSQL refuses to run as root; this user is on every machine, and owns nothing. */
const NOBODY = 65534;

export interface PostgresOptions {
  /** Lines for postgresql.conf: name and value as written there. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Answer on a free port of 127.0.0.1 too, and not only on the Unix socket. */
  readonly tcp?: boolean;
  /** The superuser's password, which TCP then asks for; nobody is asked on the socket. */
  readonly password?: string;
  /** Added to initdb, such as `--data-checksums`, `--locale-provider=icu`. */
  readonly initdb?: readonly string[];
  /** Lines of pg_hba.conf that come before those of the starter. */
  readonly access?: readonly string[];
  /** A data folder to start on (a restored base backup) in place of a new one; it stays. */
  readonly data?: string;
}

/** A PostgreSQL server of a test's own, gone at the test's end even if that is a crash. */
export class PostgresServer implements AsyncDisposable {
  /** Folder with the programs of its major. */
  readonly bin: string;
  /** Folder of everything it has; the data is in `data`, the socket in the folder itself. */
  readonly folder: string;
  readonly data: string;
  /** On 127.0.0.1 where TCP was asked for, and in the name of the socket. */
  readonly port: number;
  readonly #options: PostgresOptions;
  #child: ChildProcess | undefined;
  #log: string[] = [];

  private constructor(bin: string, port: number, options: PostgresOptions) {
    this.bin = bin;
    this.port = port;
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "seaworthy-pg-"));
    own(this.folder);
    this.data = options.data ?? join(this.folder, "data");
  }

  /**
   * Starts a server within a second.
   *
   * @param bin folder with the programs of its major: `endpoints.postgres["17"]`.
   */
  static async start(bin: string, options: PostgresOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(bin, options.tcp ? await freePort() : 5432, options);
    try {
      if (options.data === undefined) {
        copy(template(bin, options.initdb ?? []), server.data);
        server.#configure();
      }
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** For programs on this machine: by its socket, as superuser, without a password. */
  url(database = "postgres", user = "postgres"): string {
    const host = encodeURIComponent(this.folder);
    return `postgresql://${user}@/${database}?host=${host}&port=${this.port}`;
  }

  /** By TCP, with the superuser's password where it has one. */
  tcpUrl(database = "postgres", user = "postgres", password = this.#options.password): string {
    const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
    return `postgresql://${user}${secret}@127.0.0.1:${this.port}/${database}`;
  }

  /** Process of the server, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What the server said so far. */
  get log(): string {
    return this.#log.join("");
  }

  /** What psql prints for SQL: rows by line, columns by `|`, without headings. */
  query(sql: string, database = "postgres"): string {
    const quiet = ["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"];
    const args = [...quiet, "-d", this.url(database), "-f", "-"];
    return this.run("psql", args, sql).trimEnd();
  }

  /** Runs a program of its major to the end and gives what it printed; throws with its words. */
  run(program: string, args: readonly string[], input = ""): string {
    return runToEnd(join(this.bin, program), args, { input });
  }

  /** Starts it again on the data that it has. */
  async start(): Promise<void> {
    const log = ["-c", "logging_collector=off", "-c", "lc_messages=C"];
    const where = ["-D", this.data, "-k", this.folder, "-p", `${this.port}`];
    const args = [join(this.bin, "postgres"), ...where, ...log];
    // It ends with this process, whose end a test runner may not announce.
    const bound = ["--pdeathsig", "KILL", ...unprivileged(), "--", ...args];
    const child = spawn("setpriv", bound, { stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    await new Promise<void>((ready, failed) => {
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        this.#log.push(text);
        if (text.includes("ready to accept")) ready();
      });
      child.once("error", failed);
      child.once("exit", () => failed(new Error(`PostgreSQL did not start:\n${this.log}`)));
    });
  }

  /** `SIGINT` ends it in good order, `SIGQUIT` at once with a recovery due, `SIGKILL` as a crash does. */
  async stop(signal: "SIGINT" | "SIGQUIT" | "SIGKILL" = "SIGINT"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop("SIGQUIT");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #configure(): void {
    const { password, tcp, settings = {}, access = [] } = this.#options;
    const ours = {
      fsync: "off",
      listen_addresses: tcp ? "'127.0.0.1'" : "''",
      max_connections: "40",
      shared_buffers: "32MB",
      ...settings,
    };
    const lines = Object.entries(ours).map(([name, value]) => `${name} = ${value}\n`);
    appendFileSync(join(this.data, "postgresql.conf"), lines.join(""));
    const method = password === undefined ? "trust" : "scram-sha-256";
    const rules = [...access, "local all all trust", "local replication all trust"];
    for (const kind of ["all", "replication"])
      rules.push(`host ${kind} all 127.0.0.1/32 ${method}`);
    rmSync(join(this.data, "pg_hba.conf"));
    appendFileSync(join(this.data, "pg_hba.conf"), `${rules.join("\n")}\n`);
    own(join(this.data, "pg_hba.conf"));
    if (password !== undefined) this.#setPassword(password);
  }

  /** Without a server: the one process that PostgreSQL itself uses to make its first tables. */
  #setPassword(password: string): void {
    const sql = `ALTER ROLE postgres PASSWORD '${password.replaceAll("'", "''")}';\n`;
    const args = ["--single", "-D", this.data, "postgres"];
    runToEnd(join(this.bin, "postgres"), args, { input: sql, asNobody: true });
  }
}

/** A data folder fresh from initdb, made once for programs and options. */
function template(bin: string, options: readonly string[]): string {
  const folder = join(readConfiguration(process.env).systems, "templates");
  const all = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N", ...options];
  const { mtimeMs } = statSync(join(bin, "postgres"));
  const key = createHash("sha256")
    .update(JSON.stringify([bin, mtimeMs, all]))
    .digest("hex")
    .slice(0, 16);
  const made = join(folder, `postgres-${key}`);
  if (existsSync(made)) return made;
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(`${made}.unfinished-`);
  own(work);
  try {
    const args = [...all, "-D", join(work, "data")];
    runToEnd(join(bin, "initdb"), args, { asNobody: true });
    // Another test may have made the same meanwhile.
    if (!existsSync(made)) renameSync(join(work, "data"), made);
  } catch (error) {
    if (!existsSync(made)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return made;
}

function copy(from: string, to: string): void {
  runToEnd("cp", ["-a", "--reflink=auto", from, to], {});
}

function own(file: string): void {
  if (process.getuid?.() === 0) chownSync(file, NOBODY, NOBODY);
}

function unprivileged(): string[] {
  if (process.getuid?.() !== 0) return [];
  return [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
}

function runToEnd(
  program: string,
  args: readonly string[],
  { input = "", asNobody = false }: { readonly input?: string; readonly asNobody?: boolean },
): string {
  const prefix = asNobody ? ["setpriv", ...unprivileged(), "--", program] : [program];
  const [first = "", ...rest] = [...prefix, ...args];
  const options = { input, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
  const { status, stdout, stderr, error } = spawnSync(first, rest, { ...options, cwd: "/" });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.slice(0, 6).join(" ")} failed: ${error ?? stderr}`);
}
