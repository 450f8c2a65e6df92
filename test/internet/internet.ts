import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Request {
  readonly host: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: string | object;
}

/** Answers for a host, or names an origin (`http://127.0.0.1:5000`) that does. */
export type Site = (request: Request) => Answer | string | Promise<Answer | string>;

/**
 * The hosts of the internet that a test is about, under their own names and by TLS: a proxy, as a
 * runner behind a firewall has one, leads all of them to functions of the test. So a program is
 * tested with the addresses that it really asks, and none that are not among them.
 */
export class Internet implements AsyncDisposable {
  readonly asked: Request[] = [];
  /** Hosts that were asked for and are none of the test's. */
  readonly strangers: string[] = [];
  readonly #sites: Readonly<Record<string, Site>>;
  readonly #folder: string;
  readonly #proxy: Server;
  readonly #tls: Server;

  private constructor(sites: Readonly<Record<string, Site>>) {
    this.#sites = sites;
    this.#folder = mkdtempSync(join(tmpdir(), "internet-"));
    makeCertificate(this.#folder, Object.keys(sites));
    const read = (name: string) => readFileSync(join(this.#folder, name));
    this.#tls = createTlsServer({ key: read("key.pem"), cert: read("cert.pem") }, (from, to) => {
      void this.#answer(from, to);
    });
    this.#proxy = createServer((_, answer) => answer.writeHead(502).end());
    this.#proxy.on("connect", ({ url = "" }: IncomingMessage, socket) => {
      const [host = "", port] = url.split(":");
      socket.on("error", () => {});
      if (this.#sites[host] === undefined || port !== "443") {
        this.strangers.push(url);
        socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
        return;
      }
      const inner = connect((this.#tls.address() as AddressInfo).port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        inner.pipe(socket).pipe(inner);
      });
      inner.on("error", () => socket.destroy());
    });
  }

  static async start(sites: Readonly<Record<string, Site>>): Promise<Internet> {
    const internet = new Internet(sites);
    await Promise.all([
      once(internet.#tls.listen(0, "127.0.0.1"), "listening"),
      once(internet.#proxy.listen(0, "127.0.0.1"), "listening"),
    ]);
    return internet;
  }

  /** What a program has to be given to see it. */
  get environment(): Record<string, string> {
    const { port } = this.#proxy.address() as AddressInfo;
    return {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      NODE_EXTRA_CA_CERTS: join(this.#folder, "cert.pem"),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#proxy, this.#tls]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.#folder, { recursive: true });
  }

  async #answer(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of from) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const host = from.headers.host ?? "";
    const asked: Request = {
      host,
      method: from.method ?? "",
      url: new URL(from.url ?? "/", `https://${host}`),
      headers: from.headers as Record<string, string | undefined>,
      body: body.toString("utf8"),
    };
    this.asked.push(asked);
    try {
      const answer = (await this.#sites[host]?.(asked)) ?? { status: 502 };
      if (typeof answer === "string") forward(answer, from, body, to);
      else send(answer, asked.method, to);
    } catch (error) {
      send({ status: 500, body: String(error) }, asked.method, to);
    }
  }
}

function send({ status, headers, body }: Answer, method: string, to: ServerResponse): void {
  const json = typeof body === "object" ? { "content-type": "application/json" } : {};
  const text = typeof body === "object" ? JSON.stringify(body) : (body ?? "");
  to.writeHead(status, { ...json, ...headers }).end(method === "HEAD" ? undefined : text);
}

function forward(origin: string, from: IncomingMessage, body: Buffer, to: ServerResponse): void {
  const { method, url, headers } = from;
  const inner = request(`${origin}${url}`, { method, headers }, (answer) => {
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(to);
  });
  inner.on("error", () => to.destroy());
  inner.end(body);
}

function makeCertificate(folder: string, hosts: readonly string[]): void {
  const names = hosts.map((host) => `DNS:${host}`).join(",");
  const { status, stderr } = spawnSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem"), "-days", "2"],
      ...["-subj", "/CN=test", "-addext", `subjectAltName=${names}`],
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
}
