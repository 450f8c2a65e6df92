import { type IncomingHttpHeaders, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

// The OCI distribution specification asks registries to take manifests up to 4 MiB.
const LARGEST_BODY = 4 * 1024 * 1024;
const SILENCE_MS = 30_000;

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** How long the other side may say nothing, in milliseconds; 30 s when left out. */
  readonly silence?: number;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends requests over kept connections; `close` lets go of them. */
export class Connections {
  // Node's own client: registries need no more, and it is there without a byte of bundle. Proxies
  // are taken from the usual variables by Node 24.5 and later.
  readonly #plain: PlainAgent;
  readonly #tls: TlsAgent;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const options = { keepAlive: true, maxSockets: 8, proxyEnv: { ...environment } };
    this.#plain = new PlainAgent(options);
    this.#tls = new TlsAgent(options);
  }

  /**
   * One request, redirects not followed.
   *
   * @throws the system's error when no whole answer comes, or nothing comes for as long as the request allows.
   */
  send(given: HttpRequest): Promise<HttpResponse> {
    const { method, url, headers, body, signal, silence = SILENCE_MS } = given;
    const plain = url.protocol === "http:";
    const [request, agent] = plain ? [plainRequest, this.#plain] : [tlsRequest, this.#tls];
    const { promise, resolve, reject } = Promise.withResolvers<HttpResponse>();
    const sent = request(url, { method, headers: { ...headers }, agent, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > LARGEST_BODY) sent.destroy(new Error(`its answer is longer than 4 MiB`));
        else chunks.push(chunk);
      });
      answer.on("end", () => {
        const { statusCode: status = 0, headers: received } = answer;
        resolve({ status, headers: received, body: Buffer.concat(chunks) });
      });
      answer.on("error", reject);
    });
    sent.setTimeout(silence, () => {
      sent.destroy(new Error(`no answer for ${silence / 1_000} s`));
    });
    sent.on("error", reject);
    sent.end(body);
    return promise;
  }

  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }
}
