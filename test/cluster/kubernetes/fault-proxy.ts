import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { request } from "undici";
import type { Cluster } from "../../../shared/kubernetes/index.ts";

/** What becomes of a request; `pass` where nothing is wrong. */
export type Fate =
  | "pass"
  /** No answer ever comes. */
  | "hang"
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Another address is asked in its place. */
  | { readonly url: string };

/** An API server in front of the real one, of which everything can go wrong. */
export interface FaultProxy extends AsyncDisposable {
  /** A kubeconfig that leads here. */
  readonly kubeconfig: string;
  /** `GET /api/v1/...` of every request, in order. */
  readonly requests: readonly string[];
  /** Breaks every connection. */
  drop(): void;
  /** From now on nothing is sent over connections that are there, and nobody is told. */
  freeze(): void;
}

export async function faultProxy(
  cluster: Cluster,
  fateOf: (request: { readonly method: string; readonly url: URL }) => Fate,
): Promise<FaultProxy> {
  const requests: string[] = [];
  const answers = new Set<ServerResponse>();
  const server = createServer((asked, answer) => {
    answers.add(answer);
    answer.on("close", () => answers.delete(answer));
    serve(asked, answer).catch(() => answer.destroy());
  });
  async function serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = new URL(asked.url ?? "/", cluster.server);
    requests.push(`${asked.method} ${url.pathname}${url.search}`);
    const fate = fateOf({ method: asked.method ?? "GET", url });
    if (fate === "hang") return;
    if (typeof fate === "object" && "status" in fate) {
      answer.writeHead(fate.status, { "content-type": "application/json", ...fate.headers });
      answer.end(JSON.stringify({ kind: "Status", message: "a fault on purpose" }));
      return;
    }
    await forward(
      cluster,
      fate === "pass" ? url : new URL(fate.url, cluster.server),
      asked,
      answer,
    );
  }
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    kubeconfig: kubeconfigOf(`http://127.0.0.1:${address.port}`),
    requests,
    drop: () => {
      for (const answer of answers) answer.destroy();
    },
    freeze: () => {
      // What is written after this goes nowhere, and the connection stays.
      for (const answer of answers) answer.write = () => true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

async function forward(
  cluster: Cluster,
  url: URL,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { dispatcher, headers } = await cluster.access();
  const { host: _, connection: _c, authorization: _a, ...rest } = asked.headers;
  const given = await request(url, {
    method: (asked.method ?? "GET") as "GET",
    headers: { ...rest, ...headers } as Record<string, string>,
    body: asked.method === "GET" ? null : asked,
    dispatcher,
  });
  answer.writeHead(given.statusCode, {
    "content-type": String(given.headers["content-type"] ?? "application/json"),
  });
  answer.flushHeaders();
  await pipeline(given.body, answer);
}

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "faulty",
    clusters: [{ name: "faulty", cluster: { server } }],
    users: [{ name: "anybody", user: {} }],
    contexts: [{ name: "faulty", context: { cluster: "faulty", user: "anybody" } }],
  });
}
