import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * GitHub's cache service as BuildKit speaks to it: version 2 of its calls, and blobs as Azure takes
 * them. In memory; for one test.
 */
export class ActionsCache implements AsyncDisposable {
  /** What each call bore as its authorization. */
  readonly authorizations = new Set<string>();
  readonly #entries = new Map<string, Buffer>();
  readonly #blocks = new Map<string, Map<string, Buffer>>();
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });

  static async start(): Promise<ActionsCache> {
    const cache = new ActionsCache();
    await new Promise<void>((ready) => cache.#server.listen(0, "127.0.0.1", ready));
    return cache;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** As the runner gives them to a step. */
  get environment(): Record<string, string> {
    const now = Math.floor(Date.now() / 1_000);
    const scopes = JSON.stringify([{ Scope: "refs/heads/main", Permission: 3 }]);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const claims = { ac: scopes, nbf: now - 60, exp: now + 3_600 };
    const token = [part({ alg: "none", typ: "JWT" }), part(claims), "c2lnbmF0dXJl"].join(".");
    return {
      ACTIONS_RUNTIME_TOKEN: token,
      ACTIONS_RESULTS_URL: this.url,
      ACTIONS_CACHE_SERVICE_V2: "true",
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? "/", this.url);
    if (!url.pathname.startsWith("/twirp/")) return this.#blob(request, url, body, response);
    this.authorizations.add(request.headers.authorization ?? "");
    const asked = JSON.parse(body.toString()) as { key?: string; restore_keys?: string[] };
    const say = (value: object) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    const { key = "" } = asked;
    if (url.pathname.endsWith("/CreateCacheEntry")) {
      if (this.#entries.has(key)) return void say({ ok: false });
      return void say({ ok: true, signed_upload_url: this.#place(key) });
    }
    if (url.pathname.endsWith("/FinalizeCacheEntryUpload"))
      return void say({ ok: true, entry_id: "1" });
    const wanted = [key, ...(asked.restore_keys ?? [])];
    const found = [...this.#entries.keys()].findLast((each) =>
      wanted.some((prefix) => each.startsWith(prefix)),
    );
    if (found === undefined) return void say({ ok: false });
    say({ ok: true, signed_download_url: this.#place(found), matched_key: found });
  }

  #place(key: string): string {
    return `${this.url}blobs/${encodeURIComponent(key)}?sig=x`;
  }

  #blob(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): void {
    const key = decodeURIComponent(url.pathname.slice("/blobs/".length));
    const operation = url.searchParams.get("comp");
    const blocks = this.#blocks.get(key) ?? new Map<string, Buffer>();
    const headers = {
      etag: '"1"',
      "last-modified": new Date().toUTCString(),
      // BuildKit ends with a fault where it is missing.
      "x-ms-request-id": "1",
    };
    if (request.method === "PUT") {
      if (operation === "block") {
        this.#blocks.set(key, blocks.set(url.searchParams.get("blockid") ?? "", body));
      } else if (operation === "blocklist") {
        const ids = [...body.toString().matchAll(/<Latest>([^<]*)<\/Latest>/g)].map(([, id]) => id);
        const parts = ids.map((id) => blocks.get(id ?? "") ?? Buffer.alloc(0));
        this.#entries.set(key, Buffer.concat(parts));
      } else {
        this.#entries.set(key, body);
      }
      response.writeHead(201, headers).end();
      return;
    }
    const content = this.#entries.get(key);
    if (content === undefined) return void response.writeHead(404).end();
    const range = request.headers.range ?? String(request.headers["x-ms-range"] ?? "");
    const [, from = "0", to = ""] = /bytes=(\d+)-(\d*)/.exec(range) ?? [];
    const part = content.subarray(Number(from), to === "" ? undefined : Number(to) + 1);
    const partial = range !== "";
    response.writeHead(partial ? 206 : 200, {
      ...headers,
      "content-length": part.length,
      ...(partial
        ? { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${content.length}` }
        : {}),
    });
    response.end(request.method === "HEAD" ? undefined : part);
  }
}
