import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Endpoints } from "../testbed/index.ts";
import { freePort } from "./free-port.ts";

const products = {
  opensearch: {
    source: "OpenSearch.java",
    plugins: "org.opensearch.repositories.s3.S3RepositoryPlugin",
  },
  elasticsearch: { source: "Elasticsearch.java", plugins: "" },
};

/** One node of OpenSearch or Elasticsearch of a test's own; some 400 MB, up in 6 s. */
export class SearchServer implements AsyncDisposable {
  readonly url: string;
  readonly folder: string;
  /** Folder in which repositories of the type `fs` may lie. */
  readonly snapshots: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.folder = folder;
    this.snapshots = join(folder, "snapshots");
    this.url = `http://127.0.0.1:${port}`;
  }

  /**
   * Starts a server; OpenSearch has repositories of the type `s3` too, with the keys of the bed's
   * object store.
   */
  static async start(
    endpoints: Endpoints,
    product: keyof typeof products,
    options: { readonly snapshots?: string } = {},
  ): Promise<SearchServer> {
    const { java, libraries } = endpoints[product];
    const { source, plugins } = products[product];
    const folder = mkdtempSync(join(tmpdir(), "seaworthy-search-"));
    const snapshots = options.snapshots ?? join(folder, "snapshots");
    mkdirSync(snapshots, { recursive: true });
    const port = await freePort();
    const machine = [
      ...["-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"],
      // Two modules in one class path would both set it.
      "-Dopensearch.set.netty.runtime.available.processors=false",
      "-Dopensearch.allow_insecure_settings=true",
      // Where its client for S3 would find profiles.
      `-Dopensearch.path.conf=${folder}`,
      `-Daws.accessKeyId=${endpoints.objectStore.accessKeyId}`,
      `-Daws.secretAccessKey=${endpoints.objectStore.secretAccessKey}`,
    ];
    const program = join(import.meta.dirname, "java", source);
    const words = ["-cp", join(libraries, "*"), program, folder, `${port}`, snapshots, plugins];
    // It reads its input, and ends with it: with this process, however that ends.
    const child = spawn(java, [...machine, ...words], { stdio: ["pipe", "pipe", "pipe"] });
    const server = new SearchServer(child, folder, port);
    try {
      await untilReady(child);
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function untilReady(child: ChildProcess): Promise<void> {
  const said: string[] = [];
  return new Promise((ready, failed) => {
    child.stdin?.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        said.push(text);
        if (/^ready$/m.test(text)) ready();
      });
    }
    child.once("error", failed);
    child.once("exit", () => failed(new Error(`The server did not start:\n${said.join("")}`)));
  });
}
