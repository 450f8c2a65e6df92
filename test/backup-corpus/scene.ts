import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bodyOf } from "../../shared/storage/transfer/wire.ts";
import { Bucket } from "../cluster/storage/bucket.ts";
import { bundleOf, runStep } from "../runner/index.ts";
import { PostgresServer } from "../servers/postgres.ts";
import { RedisServer } from "../servers/redis.ts";
import { resolveEndpoints } from "../testbed/index.ts";
import { KeptBackup } from "./kept-backup.ts";

const run = promisify(execFile);
const LIBRARY = join(import.meta.dirname, "library.sql");
const MOST_BYTES = 256 * 1024 * 1024;

/** What the Redis server holds. */
const KEYS: readonly string[] = [
  "CONFIG SET rdbcompression yes",
  "FLUSHALL",
  ...Array.from({ length: 300 }, (_, at) => `SET text:${at} value-${at}`),
  "SET needle needle-7",
  ...Array.from({ length: 20 }, (_, at) => `SET lease:${at} held PXAT 4102444800000`),
  "RPUSH list:1 a b c d",
  "HSET hash:2 name one size 2",
  "ZADD ranks 1 one 2.5 two 3 three",
  "SADD set:1 x y z",
  "XADD stream 1-1 k v",
  "XADD stream 2-1 k w",
  "XADD stream 3-1 k x",
];

/** Forms of backups that backup-database makes once, to be copied and damaged. */
export type Base = "plain" | "custom" | "directory" | "rdb" | "files" | "bucket";

/** The servers and their backups, as they are when nothing is wrong. */
export class Scene implements AsyncDisposable {
  readonly folder: string;
  readonly server: PostgresServer;
  readonly redis: RedisServer;
  readonly #bucket: Bucket;
  /** The folder with redis-server. */
  readonly redisPrograms: string;
  #databases = 0;
  #files = 0;
  #redisIsFree: Promise<void> = Promise.resolve();

  private constructor(
    folder: string,
    server: PostgresServer,
    redis: RedisServer,
    redisPrograms: string,
    bucket: Bucket,
  ) {
    this.folder = folder;
    this.server = server;
    this.redis = redis;
    this.redisPrograms = redisPrograms;
    this.#bucket = bucket;
  }

  /** Starts the servers, fills them and takes the backups, by the action itself. */
  static async build(): Promise<Scene> {
    const endpoints = await resolveEndpoints(["postgres-15", "redis", "minio"]);
    const { url, region, accessKeyId, secretAccessKey } = endpoints.objectStore;
    const folder = await mkdtemp(join(tmpdir(), "seaworthy-backup-corpus-"));
    const server = await PostgresServer.start(endpoints.postgres["15"] ?? "", {
      settings: {
        full_page_writes: "off",
        synchronous_commit: "off",
        autovacuum: "off",
        max_wal_size: "128MB",
      },
    });
    const redis = await RedisServer.start(endpoints.redis);
    const scene = new Scene(
      folder,
      server,
      redis,
      endpoints.redis,
      new Bucket({ endpoint: url, region, accessKeyId, secretAccessKey }),
    );
    try {
      await scene.#fill();
      await scene.#backUp();
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
    return scene;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.redis[Symbol.asyncDispose]();
    await this.#bucket[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A copy of a backup that nothing is wrong with. */
  async copy(base: Base, folder: string): Promise<KeptBackup> {
    return await KeptBackup.copy(this.#storage(base), join(folder, "storage"));
  }

  /** A database like the source, then changed. */
  async changed<T>(sql: string, use: (database: string) => Promise<T>): Promise<T> {
    this.#databases += 1;
    const database = `changed_${this.#databases}`;
    await this.#sql("postgres", `CREATE DATABASE ${database} TEMPLATE library`);
    try {
      await this.#sql(database, sql);
      return await use(database);
    } finally {
      await this.#sql("postgres", `DROP DATABASE ${database}`);
    }
  }

  /** The snapshot that the Redis server gives after commands; then it is as it was. */
  async rdbAfter(commands: readonly string[]): Promise<Buffer> {
    const before = this.#redisIsFree;
    const done = Promise.withResolvers<void>();
    this.#redisIsFree = done.promise;
    await before;
    try {
      await this.#redis([...commands, "SAVE"]);
      const snapshot = await readFile(this.redis.rdb);
      await this.#redis(KEYS);
      return snapshot;
    } finally {
      done.resolve();
    }
  }

  /** What pg_dump prints. */
  async dump(database: string, args: readonly string[], user = "postgres"): Promise<Buffer> {
    const all = ["-d", this.server.url(database, user), ...args];
    const options = { encoding: "buffer", maxBuffer: MOST_BYTES } as const;
    return (await run(join(this.server.bin, "pg_dump"), all, options)).stdout;
  }

  /** The same where pg_dump gives up: what it had written until then. */
  async dumpThatFails(database: string, args: readonly string[], user: string): Promise<Buffer> {
    const all = ["-d", this.server.url(database, user), ...args];
    const options = { encoding: "buffer", maxBuffer: MOST_BYTES } as const;
    const ended = await run(join(this.server.bin, "pg_dump"), all, options).then(
      () => undefined,
      (error: { readonly stdout: Buffer }) => error.stdout,
    );
    if (ended === undefined) throw new Error("pg_dump was expected to fail.");
    return ended;
  }

  /** A dump in the directory format: its files by their names. */
  async dumpFolder(
    database: string,
    args: readonly string[],
  ): Promise<ReadonlyMap<string, Buffer>> {
    this.#databases += 1;
    const path = join(this.folder, `folder-${this.#databases}`);
    await run(join(this.server.bin, "pg_dump"), [
      ...["-d", this.server.url(database), "-Fd", "-f", path, ...args],
    ]);
    const names = await readdir(path);
    const files = await Promise.all(names.map((name) => readFile(join(path, name))));
    await rm(path, { recursive: true });
    return new Map(names.map((name, at) => [name, files[at] ?? Buffer.alloc(0)]));
  }

  #storage(base: Base): string {
    return join(this.folder, "bases", base);
  }

  async #fill(): Promise<void> {
    await this.#sql(
      "postgres",
      "CREATE ROLE corpus_app; CREATE ROLE corpus_reader LOGIN; CREATE ROLE corpus_owner; CREATE DATABASE library; CREATE DATABASE other",
    );
    await this.#sql("library", await readFile(LIBRARY, "utf8"));
    await this.#redis(KEYS);
    await this.#fillFolder();
    await this.#sql(
      "other",
      "CREATE SCHEMA lib; CREATE TABLE lib.books (id int PRIMARY KEY, title text); INSERT INTO lib.books SELECT i, 'Other ' || i FROM generate_series(1, 1500) i",
    );
  }

  async #redis(commands: readonly string[]): Promise<void> {
    const program = join(this.redisPrograms, "redis-cli");
    const running = run(program, ["-s", this.redis.socket, "-e"]);
    running.child.stdin?.end(`${commands.join("\n")}\n`);
    await running;
  }

  async #fillFolder(): Promise<void> {
    const folder = join(this.folder, "embeddings");
    await mkdir(join(folder, "deep"), { recursive: true });
    for (let at = 0; at < 60; at++) {
      const path = join(folder, at % 2 === 1 ? "deep" : ".", `${at}.txt`);
      await writeFile(path, `content of ${at} ${"text ".repeat(at * 20)}`);
    }
    await writeFile(join(folder, "deep", "8.txt"), "content of eight");
    await symlink("deep/7.txt", join(folder, "link"));
  }

  /** Gives the inputs that lead backup-database to the bucket. */
  async #fillBucket(): Promise<Record<string, string>> {
    const { objectStore } = await resolveEndpoints(["minio"]);
    await this.#bucket.create();
    for (let at = 0; at < 20; at++) {
      const [key, body] = [`papers/${at}.txt`, bodyOf(`object ${at} of the bucket`)];
      await this.#bucket.ask({ method: "PUT", key, headers: {}, body, expected: [200] });
    }
    return {
      source: `s3://${this.#bucket.name}/papers`,
      "source-endpoint": objectStore.url,
      "source-region": objectStore.region,
      "source-access-key-id": objectStore.accessKeyId,
      "source-secret-access-key": objectStore.secretAccessKey,
    };
  }

  async #sql(database: string, sql: string): Promise<void> {
    // Several lanes are at work at once.
    this.#files += 1;
    const file = join(this.folder, `statements-${this.#files}.sql`);
    await writeFile(file, sql);
    const quiet = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", this.server.url(database)];
    // Each statement is a transaction of its own, as CREATE DATABASE wants.
    await run(join(this.server.bin, "psql"), [...quiet, "-f", file]);
  }

  async #backUp(): Promise<void> {
    const forms: readonly (readonly [Base, Record<string, string>])[] = [
      ["plain", { source: this.server.url("library"), format: "plain" }],
      ["custom", { source: this.server.url("library"), format: "custom" }],
      ["directory", { source: this.server.url("library"), format: "directory" }],
      ["rdb", { source: this.redis.url, kind: "redis" }],
      ["files", { source: join(this.folder, "embeddings"), kind: "directory" }],
      ["bucket", await this.#fillBucket()],
    ];
    await mkdir(join(this.folder, "bases"));
    for (const [base, inputs] of forms) await this.backUp(inputs, this.#storage(base));
  }

  /** Runs backup-database; a failure of it is the test's. */
  async backUp(inputs: Readonly<Record<string, string>>, storage: string): Promise<void> {
    const step = await runStep(bundleOf("backup-database"), {
      inputs: { name: "library", "postgres-bin": this.server.bin, storage, ...inputs },
    });
    if (step.exitCode !== 0) throw new Error(`no backup was made: ${step.stdout}${step.stderr}`);
  }
}
