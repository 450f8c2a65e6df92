import { type IncomingHttpHeaders, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

// The OCI distribution specification asks registries to take manifests up to 4 MiB.
const LARGEST_BODY = 4 * 1024 * 1024;
const SLOWEST_MS = 30_000;

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
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
   * @throws the system's error when no whole answer comes, within 30 s of silence at most.
   */
  send({ method, url, headers, body, signal }: HttpRequest): Promise<HttpResponse> {
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
        const { statusCode: status = 0, headers: given } = answer;
        resolve({ status, headers: given, body: Buffer.concat(chunks) });
      });
      answer.on("error", reject);
    });
    sent.setTimeout(SLOWEST_MS, () => {
      sent.destroy(new Error(`no answer for ${SLOWEST_MS / 1_000} s`));
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
