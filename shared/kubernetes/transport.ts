import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import { Agent, type Dispatcher, request } from "undici";
import { describe, UserError } from "../failure/index.ts";
import type { World } from "../world/index.ts";
import { type Asked, apiError, Unreachable } from "./api-error.ts";

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
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

const PATIENCE_MS = 15_000;

/** Speaks HTTP with one API server, with the credentials of a kubeconfig's current context. */
export class Transport {
  /** Address of the API server, without a slash at its end. */
  readonly server: string;
  readonly #config: KubeConfig;
  readonly #secrets: World["secrets"];
  #dispatcher: Dispatcher | undefined;

  constructor(config: KubeConfig, { secrets }: Pick<World, "secrets">) {
    this.server = (config.getCurrentCluster()?.server ?? "").replace(/\/+$/, "");
    this.#config = config;
    this.#secrets = secrets;
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
   * Sends a request and gives the body of a successful answer.
   *
   * @throws {ApiError} when the server says no; {Unreachable} when it says nothing.
   */
  async open(asked: ApiRequest, signal: AbortSignal): Promise<Body> {
    signal.throwIfAborted();
    const access = await this.access();
    const patience = asked.patience ?? PATIENCE_MS;
    const answer = await request(this.url(asked.path, asked.query), {
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
    for (const words of warningsOf(answer.headers.warning)) asked.onWarning?.(words);
    if (answer.statusCode < 300) return answer.body;
    const words = await answer.body.text().catch(() => "");
    throw apiError(answer.statusCode, words, asked.asked);
  }

  url(path: string, query: ApiRequest["query"] = {}): URL {
    const url = new URL(`${this.server}${path}`);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") url.searchParams.set(name, String(value));
    }
    return url;
  }

  /**
   * The headers and the connection pool that carry the credentials. Tokens are renewed by their
   * provider when they run out; the pool is made once, over HTTP/1.1: port-forwarding needs it,
   * and a watch with a connection of its own notices on its own that the connection is dead.
   *
   * @throws {UserError} when a credential plugin of the kubeconfig fails.
   */
  async access(): Promise<Access> {
    const headers: Record<string, string> = {};
    let fresh: Dispatcher | undefined;
    const context = {
      setHeaderParam: (name: string, value: string) => {
        headers[name.toLowerCase()] = value;
      },
      setDispatcher: (dispatcher: Dispatcher) => {
        fresh = dispatcher;
      },
    };
    try {
      type Context = Parameters<KubeConfig["applySecurityAuthentication"]>[0];
      await this.#config.applySecurityAuthentication(context as unknown as Context);
    } catch (error) {
      throw this.#noCredentials(error);
    }
    const token = headers.authorization?.replace(/^\S+ /, "");
    if (token) this.#secrets.add(token.trim());
    this.#dispatcher ??= (fresh ?? new Agent()).compose(
      (dispatch) => (options, handler) => dispatch({ ...options, ...HTTP1 }, handler),
    );
    return { headers, dispatcher: this.#dispatcher };
  }

  #broken(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    return new Unreachable(this.server, error);
  }

  #noCredentials(error: unknown): UserError {
    const user = this.#config.getCurrentUser();
    const plugin = (user?.exec as { command?: string } | undefined)?.command;
    return new UserError(
      {
        title: "No credentials for the cluster",
        cause: `${plugin === undefined ? "The kubeconfig's credentials cannot be used" : `The credential plugin ${plugin} failed`}: ${describe(error).trim()}.`,
        remedy:
          plugin === undefined
            ? "Correct the user and the cluster of the kubeconfig's current context; plain HTTP needs insecure-skip-tls-verify there."
            : `Install ${plugin} on the runner and give it what it needs, or use a token.`,
      },
      { reason: error },
    );
  }
}

/** An option of undici's that its types do not list for a single request. */
const HTTP1: object = { allowH2: false };

function headersOf(asked: ApiRequest, access: Access): Record<string, string> {
  const headers: Record<string, string> = {
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
