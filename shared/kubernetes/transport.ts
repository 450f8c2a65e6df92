import { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { Agent, type Dispatcher, request } from "undici";
import { describe, UserError } from "../failure/index.ts";
import { systemClock, type World } from "../world/index.ts";
import { type ApiError, type Asked, apiError, Unreachable } from "./api-error.ts";
import { Credentials, type Headers } from "./credentials.ts";
import type { ExecCredential } from "./exec-plugin.ts";
import type { Kubeconfig } from "./kubeconfig.ts";

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the server's root, encoded: `/api/v1/namespaces/shop/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Media types of the answer, best first; JSON when left out. */
  readonly accept?: string;
  readonly asked: Asked;
  /** Takes the texts of the answer's Warning headers. */
  readonly onWarning?: ((words: string) => void) | undefined;
  /** Longest silence in milliseconds before the answer counts as lost. */
  readonly patience?: number;
}

type Body = Dispatcher.ResponseData["body"];

/** Credentials as they travel with a request. */
export interface Access {
  readonly headers: Headers;
  readonly dispatcher: Dispatcher;
}

const PATIENCE_MS = 15_000;

/** Speaks HTTP with one API server, with the credentials of a kubeconfig's current context. */
export class Transport {
  /** Address of the API server, without a slash at its end. */
  readonly server: string;
  readonly #kubeconfig: Kubeconfig;
  readonly #credentials: Credentials;
  #pool: { readonly dispatcher: Dispatcher; readonly certificate: unknown } | undefined;

  constructor(kubeconfig: Kubeconfig, world: Pick<World, "secrets">) {
    this.server = kubeconfig.server;
    this.#kubeconfig = kubeconfig;
    this.#credentials = new Credentials(kubeconfig, world);
  }

  /** The answer's text. Throws what `open` throws. */
  async text(asked: ApiRequest, signal: AbortSignal): Promise<string> {
    const body = await this.open(asked, signal);
    try {
      return await body.text();
    } catch (error) {
      throw this.#broken(error, signal);
    }
  }

  /** The answer's JSON, unchecked. */
  async json<T>(asked: ApiRequest, signal: AbortSignal): Promise<T> {
    return JSON.parse(await this.text(asked, signal)) as T;
  }

  /**
   * The lines of an answer that goes on, as they come. Ends when the server ends it.
   *
   * @throws {Unreachable} when the connection breaks or falls silent.
   */
  async *lines(asked: ApiRequest, signal: AbortSignal): AsyncGenerator<string> {
    const body = await this.open(asked, signal);
    const decoder = new TextDecoder();
    let rest = "";
    try {
      for await (const chunk of body) {
        const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield line;
      }
    } catch (error) {
      throw this.#broken(error, signal);
    }
    if (rest !== "") yield rest;
  }

  /**
   * Sends a request and gives the body of a successful answer. Credentials that are not accepted
   * are renewed once, where they can be; a server that asks for a later try gets it.
   *
   * @throws {ApiError} when the server says no; {Unreachable} when it says nothing.
   */
  async open(asked: ApiRequest, signal: AbortSignal): Promise<Body> {
    let renewed = false;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#send(asked, signal);
      const { statusCode } = answer;
      for (const words of warningsOf(answer.headers.warning)) asked.onWarning?.(words);
      if (statusCode < 300) return answer.body;
      const words = await answer.body.text().catch(() => "");
      const pause = retryAfter(statusCode, answer.headers["retry-after"]);
      if (pause !== undefined && tries < MOST_TRIES) {
        await systemClock.sleep(pause, signal);
      } else if (statusCode === 401 && !renewed && this.#credentials.renew()) {
        this.#pool = undefined;
        renewed = true;
      } else {
        throw this.#refusal(statusCode, words, asked);
      }
    }
  }

  async #send(asked: ApiRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    const access = await this.access(signal);
    const patience = asked.patience ?? PATIENCE_MS;
    return request(this.url(asked.path, asked.query), {
      method: asked.method,
      headers: headersOf(asked, access),
      body: asked.body === undefined ? null : JSON.stringify(asked.body),
      dispatcher: access.dispatcher,
      headersTimeout: Math.min(patience, PATIENCE_MS),
      bodyTimeout: patience,
      signal,
    }).catch((error: unknown) => {
      throw this.#broken(error, signal);
    });
  }

  #refusal(status: number, words: string, { asked }: ApiRequest): ApiError {
    const expiry = status === 401 ? this.#credentials.expiry(systemClock.now()) : undefined;
    return apiError(status, words, asked, expiry);
  }

  url(path: string, query: ApiRequest["query"] = {}): URL {
    const url = new URL(`${this.server}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
    }
    return url;
  }

  /**
   * The headers and the connection pool that carry the credentials. What runs out is renewed; the
   * pool is made anew only with another client certificate. It speaks HTTP/1.1: connections to
   * pods need it, and a watch with a connection of its own notices by itself that it is dead.
   *
   * @throws {UserError} when the credentials cannot be had.
   */
  async access(signal: AbortSignal): Promise<Access> {
    const headers = await this.#credentials.headers(signal);
    const { certificate } = this.#credentials;
    if (this.#pool === undefined || this.#pool.certificate !== certificate) {
      this.#pool = { dispatcher: await this.#newDispatcher(certificate), certificate };
    }
    return { headers, dispatcher: this.#pool.dispatcher };
  }

  /** TLS settings and proxies are read, and connections made, by the client library. */
  async #newDispatcher(certificate: ExecCredential | undefined): Promise<Dispatcher> {
    let made: Dispatcher | undefined;
    const context = {
      setHeaderParam: () => undefined,
      setDispatcher: (dispatcher: Dispatcher) => {
        made = dispatcher;
      },
    };
    try {
      type Context = Parameters<KubeConfig["applySecurityAuthentication"]>[0];
      const config = this.#withCertificate(certificate);
      await config.applySecurityAuthentication(context as unknown as Context);
    } catch (error) {
      throw noTls(error);
    }
    return (made ?? new Agent()).compose(
      (dispatch) => (options, handler) => dispatch({ ...options, ...HTTP1 }, handler),
    );
  }

  #withCertificate(made: ExecCredential | undefined): KubeConfig {
    const { config } = this.#kubeconfig;
    const [user] = config.users;
    if (user === undefined) return config;
    const base64 = (pem: string | undefined) => Buffer.from(pem ?? "").toString("base64");
    const { authProvider: _, ...rest } = user;
    const own = new KubeConfig();
    own.loadFromOptions({
      ...config,
      users: [
        made === undefined
          ? rest
          : { ...rest, certData: base64(made.certificate), keyData: base64(made.key) },
      ],
    });
    return own;
  }

  #broken(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return new Unreachable(placeOf(this.#kubeconfig), error);
  }
}

/** The server, and the proxy on the way to it, without its password. */
function placeOf({ server, config }: Kubeconfig): string {
  const proxy = config.getCurrentCluster()?.proxyUrl;
  return proxy !== undefined && URL.canParse(proxy)
    ? `${server} (through the proxy ${new URL(proxy).host})`
    : server;
}

/** What a server in trouble may ask for: one that asks for more has other worries. */
const MOST_TRIES = 6;
const LONGEST_PAUSE_MS = 10_000;

/**
 * How long the server asks to wait before the request is sent again, in milliseconds: it did
 * nothing of it yet. Undefined when it asks for nothing.
 *
 * Source: k8s.io/client-go/rest/with_retry.go, and RFC 9110, section 10.2.3.
 */
export function retryAfter(
  status: number,
  header: string | string[] | undefined,
): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const seconds = Number([header].flat()[0]);
  if (header === undefined || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(seconds * 1_000, LONGEST_PAUSE_MS);
}

function noTls(error: unknown): UserError {
  return new UserError(
    {
      title: "No credentials for the cluster",
      cause: `The kubeconfig's certificates, keys or proxy cannot be used: ${describe(error).trim()}.`,
      remedy: "Correct the user and the cluster of the kubeconfig's current context.",
    },
    { reason: error },
  );
}

/** An option of undici's that its types do not list for a single request. */
const HTTP1: object = { allowH2: false };

function headersOf(asked: ApiRequest, access: Access): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    ...access.headers,
    accept: asked.accept ?? "application/json, */*;q=0.5",
    "user-agent": "seaworthy",
  };
  if (asked.body !== undefined) headers["content-type"] = asked.contentType ?? "application/json";
  return headers;
}

/**
 * The texts of Warning headers: `299 - "words"`, several of them parted by commas.
 *
 * Source: RFC 7234, section 5.5, and k8s.io/apimachinery/pkg/util/net/http.go.
 */
export function warningsOf(header: string | readonly string[] | undefined): string[] {
  const text = [header ?? []].flat().join(", ");
  const found = text.matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g);
  return [...found].map(([, words = ""]) => words.replace(/\\(.)/g, "$1"));
}
