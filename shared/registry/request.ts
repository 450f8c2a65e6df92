import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { Readable } from "node:stream";

// The OCI distribution specification asks registries to take manifests up to 4 MiB.
const LARGEST_BODY = 4 * 1024 * 1024;
const SILENCE_MS = 30_000;
/** A body goes out in pieces of this size, so that each that is taken counts as progress. */
const PIECE = 64 * 1024;

/** What is sent with a request: bytes, or pieces of them as they come. */
export type Body = Uint8Array | AsyncIterable<Uint8Array>;

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PATCH" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each try. Bytes of a stream need the header content-length beside them. */
  readonly body?: () => Body;
  readonly signal: AbortSignal;
  /** How long nothing may move, neither way, in milliseconds; 30 s when left out. */
  readonly silence?: number;
}

export interface HttpHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

export interface HttpResponse extends HttpHead {
  readonly body: Buffer;
}

/** An answer whose body comes piece by piece. It must be read to its end, or left by `return`. */
export interface HttpStream extends HttpHead {
  readonly pieces: AsyncGenerator<Buffer, void, undefined>;
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
   * One request with its whole answer, redirects not followed.
   *
   * @throws the system's error when no whole answer comes, or nothing moves for as long as the
   * request allows (`ETIMEDOUT`).
   */
  async send(given: HttpRequest): Promise<HttpResponse> {
    const { answer, sent, watch } = await this.#begin(given);
    const body = await bodyOf(answer, sent, watch);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body };
  }

  /** One request, given back as soon as the answer begins. Throws as `send` does, also from the pieces. */
  async open(given: HttpRequest): Promise<HttpStream> {
    const { answer, sent, watch } = await this.#begin(given);
    const { statusCode: status = 0, headers } = answer;
    return { status, headers, pieces: piecesOf(answer, sent, watch) };
  }

  async #begin(given: HttpRequest): Promise<Begun> {
    const { method, url, headers, signal, silence = SILENCE_MS } = given;
    const body = given.body?.();
    const plain = url.protocol === "http:";
    const [request, agent] = plain ? [plainRequest, this.#plain] : [tlsRequest, this.#tls];
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const length = body instanceof Uint8Array ? { "content-length": `${body.length}` } : {};
    const all = { "user-agent": "seaworthy", ...headers, ...length };
    const sent = request(url, { method, headers: all, agent, signal }, resolve);
    // Both stay to the end: an error that comes after the answer began is told by the answer.
    sent.on("error", reject);
    const watch = new Watch(sent, silence);
    // A request that waits for a free connection is not one that the registry leaves waiting.
    sent.on("socket", () => watch.moved());
    sendBody(sent, body, watch, reject);
    try {
      return { answer: await promise, sent, watch };
    } finally {
      watch.rest();
    }
  }

  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }
}

/** A request whose answer has begun. */
interface Begun {
  readonly answer: IncomingMessage;
  readonly sent: ClientRequest;
  readonly watch: Watch;
}

/** Breaks a request off when nothing moves for too long. */
class Watch {
  readonly #sent: ClientRequest;
  readonly #silence: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(sent: ClientRequest, silence: number) {
    this.#sent = sent;
    this.#silence = silence;
  }

  moved(): void {
    if (this.#timer !== undefined) {
      this.#timer.refresh();
      return;
    }
    this.#timer = setTimeout(() => {
      const words = `nothing came for ${this.#silence / 1_000} s`;
      this.#sent.destroy(Object.assign(new Error(words), { code: "ETIMEDOUT" }));
    }, this.#silence);
  }

  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function sendBody(
  sent: ClientRequest,
  body: Body | undefined,
  watch: Watch,
  reject: (error: unknown) => void,
): void {
  if (body === undefined || (body instanceof Uint8Array && body.length <= PIECE)) {
    sent.end(body);
    return;
  }
  const source = Readable.from(watched(body, watch), { objectMode: false, highWaterMark: PIECE });
  source.on("error", (error) => {
    reject(error);
    sent.destroy();
  });
  sent.on("close", () => source.destroy());
  source.pipe(sent);
}

async function* watched(body: Body, watch: Watch): AsyncGenerator<Uint8Array> {
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      watch.moved();
      yield chunk.subarray(at, at + PIECE);
    }
  }
}

/** A whole answer: most are small, and many, so that they are taken without a generator's detours. */
async function bodyOf(answer: IncomingMessage, sent: ClientRequest, watch: Watch): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const chunks: Buffer[] = [];
  let size = 0;
  watch.moved();
  answer.on("data", (chunk: Buffer) => {
    watch.moved();
    size += chunk.length;
    chunks.push(chunk);
    if (size > LARGEST_BODY) reject(new Error("its answer is longer than 4 MiB"));
  });
  answer.on("end", resolve).on("error", reject);
  answer.on("close", () => reject(Object.assign(new Error("aborted"), { code: "ECONNRESET" })));
  let whole = false;
  try {
    await promise;
    whole = true;
  } finally {
    watch.rest();
    // An answer that came before all was sent leaves a connection that is good for nothing more.
    if (!whole || !sent.writableFinished) sent.destroy();
  }
  return Buffer.concat(chunks);
}

async function* piecesOf(
  answer: IncomingMessage,
  sent: ClientRequest,
  watch: Watch,
): AsyncGenerator<Buffer, void, undefined> {
  const pieces = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let whole = false;
  try {
    for (;;) {
      // Only while we wait for the other side: a slow reader here is not its silence.
      watch.moved();
      const { done, value } = await pieces.next();
      watch.rest();
      if (done === true) break;
      yield value;
    }
    whole = true;
  } finally {
    watch.rest();
    // An answer that came before all was sent leaves a connection that is good for nothing more.
    if (!whole || !sent.writableFinished) sent.destroy();
  }
}
