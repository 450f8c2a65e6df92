import { createHash } from "node:crypto";
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as plainRequest,
} from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { Readable } from "node:stream";
import { getCACertificates } from "node:tls";

/** What is sent with a request: known in length and sum beforehand, and able to be sent again. */
export interface Body {
  readonly bytes: number;
  readonly sha256: Buffer;
  /** From the beginning, as often as it is asked for. */
  open(): AsyncIterable<Buffer>;
}

/** A text as a body. */
export function bodyOf(text: string): Body {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest(),
    async *open() {
      yield bytes;
    },
  };
}

export interface WireRequest {
  readonly method: "GET" | "PUT" | "POST" | "HEAD" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Body | undefined;
  readonly signal: AbortSignal;
  /** How long neither side may say anything, in milliseconds. */
  readonly silence: number;
  /** Gives the body of a good answer as a stream, and not as text. */
  readonly streamed?: boolean | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where it is given as a stream. */
  readonly text: string;
  readonly stream?: AsyncIterable<Buffer> | undefined;
  /** Lets go of a stream, also of one that nobody began to read. */
  readonly cancel?: (() => void) | undefined;
}

const LARGEST_TEXT = 32 * 1024 * 1024;
const SLICE = 256 * 1024;

/** Speaks HTTP over kept connections; proxies are those of the usual variables. */
export class Wire implements Disposable {
  readonly #plain: PlainAgent;
  readonly #tls: TlsAgent;

  /** @param ca certificates to trust beside the usual ones, in PEM. */
  constructor(environment: Readonly<Record<string, string | undefined>>, ca: string | undefined) {
    const options = { keepAlive: true, maxSockets: 16, proxyEnv: { ...environment } };
    this.#plain = new PlainAgent(options);
    const trusted = ca === undefined ? {} : { ca: [...getCACertificates("default"), ca] };
    this.#tls = new TlsAgent({ ...options, ...trusted });
  }

  [Symbol.dispose](): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  /** @throws the system's error where no whole answer came. */
  async send(asked: WireRequest): Promise<Answer> {
    const { method, url, headers, body, signal, silence } = asked;
    const [request, agent] =
      url.protocol === "http:" ? [plainRequest, this.#plain] : [tlsRequest, this.#tls];
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const length =
      body === undefined && method !== "PUT" && method !== "POST"
        ? {}
        : { "content-length": `${body?.bytes ?? 0}` };
    const all = { "user-agent": "seaworthy", ...length, ...headers };
    const sent = request(url, { method, headers: all, agent, signal }, resolve);
    const patience = new Patience(silence, (problem) => sent.destroy(problem));
    sent.on("error", reject);
    let handed = false;
    try {
      if (body === undefined) sent.end();
      else sendBody(body, sent, patience);
      const answer = await promise;
      const given = headersOf(answer);
      const status = answer.statusCode ?? 0;
      if (asked.streamed === true && status >= 200 && status < 300) {
        handed = true;
        const cancel = () => {
          patience.end();
          answer.destroy();
        };
        return { status, headers: given, text: "", stream: streamed(answer, patience), cancel };
      }
      return { status, headers: given, text: await textOf(answer, patience) };
    } catch (error) {
      sent.destroy();
      throw error;
    } finally {
      if (!handed) patience.end();
      // It answered before it had heard all, and does not want the rest.
      if (!sent.writableEnded) sent.destroy();
    }
  }
}

function sendBody(body: Body, sent: ClientRequest, patience: Patience): void {
  const source = Readable.from(slices(body, patience), { objectMode: false });
  source.on("error", (error) => sent.destroy(error));
  sent.once("close", () => source.destroy());
  source.pipe(sent);
}

/** Ends what says nothing for too long. Only the server's silence counts, not its reader's. */
class Patience {
  readonly #silence: number;
  readonly #end: (problem: Error) => void;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(silence: number, end: (problem: Error) => void) {
    this.#silence = silence;
    this.#end = end;
    this.start();
  }

  start(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      const problem = new Error(`nothing was heard for ${this.#silence / 1_000} s`);
      this.#end(Object.assign(problem, { code: "ETIMEDOUT" }));
    }, this.#silence);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** For good: a body that is still on its way cannot start it again. */
  end(): void {
    this.#isOver = true;
    this.stop();
  }
}

async function* slices(body: Body, patience: Patience): AsyncGenerator<Buffer> {
  for await (const chunk of body.open()) {
    for (let at = 0; at < chunk.length; at += SLICE) {
      patience.start();
      yield chunk.subarray(at, at + SLICE);
    }
  }
}

async function textOf(answer: IncomingMessage, patience: Patience): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    patience.start();
    size += chunk.length;
    if (size > LARGEST_TEXT) throw new Error("its answer is longer than 32 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function* streamed(answer: IncomingMessage, patience: Patience): AsyncGenerator<Buffer> {
  const source = (answer as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      patience.start();
      const { value, done } = await source.next();
      if (done === true) return;
      patience.stop();
      yield value;
    }
  } finally {
    patience.end();
    answer.destroy();
  }
}

function headersOf(answer: IncomingMessage): Readonly<Record<string, string>> {
  const given = Object.entries(answer.headers).map(([name, value]) => [name, `${value}`]);
  return Object.fromEntries(given) as Record<string, string>;
}
