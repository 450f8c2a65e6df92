import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import { codeOf, describe, UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";

/** A request to a service that speaks JSON or forms, such as a cloud's or GitHub's. */
export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** What people call the service, for messages: `AWS's token service`. */
  readonly service: string;
  /** How long it may say nothing, in milliseconds; 15 s when left out. */
  readonly silence?: number;
  /**
   * It is a service of this very machine, such as a cloud's metadata: asked once, for its being away
   * is an answer too, and not by way of a proxy.
   */
  readonly near?: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const SILENCE_MS = 15_000;
const LARGEST_BODY = 32 * 1024 * 1024;
const PAUSES_MS = [250, 1_000, 3_500];
/** GitHub's limits of the moment are over within a minute. */
const LONGEST_PAUSE_MS = 65_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"]);

/**
 * Asks web services over kept connections. Answers 429 and 5xx and broken connections are tried
 * again; redirects are not followed, so that no credentials go elsewhere. Proxies are those of the
 * usual variables.
 */
export class WebApi implements Disposable {
  readonly #world: Pick<World, "clock" | "environment">;
  readonly #near = new PlainAgent();
  readonly #plain: PlainAgent;
  readonly #tls: TlsAgent;

  constructor(world: Pick<World, "clock" | "environment">) {
    this.#world = world;
    const options = { keepAlive: true, maxSockets: 8, proxyEnv: { ...world.environment } };
    this.#plain = new PlainAgent(options);
    this.#tls = new TlsAgent(options);
  }

  [Symbol.dispose](): void {
    this.#near.destroy();
    this.#plain.destroy();
    this.#tls.destroy();
  }

  /**
   * The answer, whatever its status.
   *
   * @throws {UserError} when none comes.
   * @throws the reason of the request's signal when that aborts.
   */
  async ask(request: ApiRequest): Promise<ApiAnswer> {
    for (let attempt = 0; ; attempt += 1) {
      const pause = request.near === true ? undefined : PAUSES_MS[attempt];
      let wait = pause;
      try {
        const answer = await this.#send(request);
        if (pause === undefined || !passes(answer)) return answer;
        wait = Math.max(pause, this.#retryAfter(answer));
      } catch (error) {
        request.signal.throwIfAborted();
        const isPassing = PASSING_CODES.has(codeOf(error) ?? "");
        if (pause === undefined || !isPassing) throw unreachable(request, error);
      }
      await this.#world.clock.sleep(wait ?? 0, request.signal);
    }
  }

  #send({ method, url, headers, body, signal, near, silence = SILENCE_MS }: ApiRequest) {
    const plain = near === true ? this.#near : this.#plain;
    const isPlain = url.protocol === "http:";
    const [request, agent] = isPlain ? [plainRequest, plain] : [tlsRequest, this.#tls];
    const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
    const length = body === undefined ? {} : { "content-length": `${Buffer.byteLength(body)}` };
    const all = { "user-agent": "seaworthy", ...length, ...headers };
    const sent = request(url, { method, headers: all, agent, signal }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        patience.refresh();
        size += chunk.length;
        if (size > LARGEST_BODY) sent.destroy(new Error("its answer is longer than 32 MiB"));
        else chunks.push(chunk);
      });
      answer.on("error", reject);
      answer.on("end", () => {
        const { statusCode: status = 0 } = answer;
        const given = Object.entries(answer.headers).map(([name, value]) => [name, `${value}`]);
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status, headers: Object.fromEntries(given) as Record<string, string>, text });
      });
    });
    // A socket's own timeout does not count while it connects.
    const patience = setTimeout(() => {
      sent.destroy(new Error(`no answer for ${silence / 1_000} s`));
    }, silence);
    sent.on("error", reject);
    sent.end(body);
    return promise.finally(() => clearTimeout(patience));
  }

  #retryAfter({ headers }: ApiAnswer): number {
    const given = headers["retry-after"] ?? "";
    const until = /^\d+$/.test(given)
      ? Number(given) * 1_000
      : Date.parse(given) - this.#world.clock.now();
    return Number.isNaN(until) ? 0 : Math.min(Math.max(until, 0), LONGEST_PAUSE_MS);
  }
}

/** Whether waiting may change an answer. GitHub says 403 with a time when it is asked too often. */
function passes({ status, headers }: ApiAnswer): boolean {
  return PASSING.has(status) || (status === 403 && headers["retry-after"] !== undefined);
}

/** The mapping that an answer holds as JSON; an empty one when it holds none. */
export function jsonIn({ text }: Pick<ApiAnswer, "text">): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/**
 * What a service says of its refusal, in the forms that are known: OAuth's (RFC 6749, 5.2), Google's
 * (`error.message`), AWS's (`__type` and `message`, or XML), GitHub's (`message`) and registries'.
 */
export function wordsOf(answer: ApiAnswer): string {
  const json = jsonIn(answer);
  const { error, error_description: description } = json;
  const inner = (typeof error === "object" && error !== null ? error : {}) as { message?: unknown };
  const listed = Array.isArray(json.errors) ? (json.errors[0] as Record<string, unknown>) : {};
  const type = textOf(json.__type)?.split("#").at(-1);
  const xml = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(answer.text)?.[1];
  const parts = [
    textOf(error) ?? type ?? xml("Code") ?? textOf(listed?.code),
    textOf(description) ??
      textOf(inner.message) ??
      textOf(json.message) ??
      textOf(json.Message) ??
      xml("Message") ??
      textOf(listed?.message),
  ];
  const words = parts.filter(Boolean).join(": ").split("\n")[0]?.trim() ?? "";
  if (words !== "") return words.slice(0, 500);
  return /^\s*[<{[]/.test(answer.text) ? "" : answer.text.trim().slice(0, 200);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function unreachable({ method, url, service }: ApiRequest, error: unknown): UserError {
  return new UserError(
    {
      title: `${service} cannot be reached`,
      cause: `${method} ${url.origin}${url.pathname}: ${describe(error)}.`,
      remedy:
        "Check that this runner can reach it, or names the proxy in HTTPS_PROXY; then run again.",
    },
    { reason: error },
  );
}
