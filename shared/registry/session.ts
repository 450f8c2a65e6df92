import { isLoopback } from "../images/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Clock, Log } from "../world/index.ts";
import { Authorizations } from "./authorization.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { Patience, type Retry } from "./patience.ts";
import { type Question, type Refused, refused, ungranted, unreachable } from "./registry-error.ts";
import {
  type Body,
  Connections,
  type HttpHead,
  type HttpRequest,
  type HttpResponse,
  type HttpStream,
} from "./request.ts";
import { lacking } from "./scope.ts";

export interface RegistryAccess {
  /** As in an image's name. */
  readonly host: string;
  readonly credentials: Credentials | undefined;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Hears of long waits. */
  readonly log?: Pick<Log, "info"> | undefined;
  /** How long nothing may move on a connection, in milliseconds; 30 s when left out. */
  readonly silence?: number | undefined;
}

/** One question to a registry, asked until an answer comes that waiting would not change. */
export interface Ask {
  readonly method: HttpRequest["method"];
  /** Path and query, or an address that the registry gave. */
  readonly where: string | URL;
  readonly scopes: readonly string[];
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Called for each try. */
  readonly body?: () => Body;
  readonly silence?: number;
  /** What is wrong with an answer that looks right, such as bytes that are not those asked for. */
  readonly flaw?: (response: HttpResponse) => string | undefined;
  /** Not tried again after a broken connection: the caller finds out what was done, and goes on. */
  readonly once?: boolean;
}

/** What speaks to one registry: connections, tokens and patience. It knows nothing of images. */
export class Session implements Disposable {
  readonly host: string;
  readonly #access: RegistryAccess;
  readonly #origin: string;
  readonly #connections: Connections;
  readonly #authorizations: Authorizations;
  /** Who has answered well before; who is gone then may come back. */
  readonly #heardOf = new Set<string>();

  constructor(access: RegistryAccess) {
    this.#access = access;
    this.host = access.host;
    const host = access.host === "docker.io" ? "registry-1.docker.io" : access.host;
    const plain = isLoopback(host);
    this.#origin = new URL(`${plain ? "http" : "https"}://${host}`).origin;
    this.#connections = new Connections(access.environment);
    this.#authorizations = new Authorizations({ ...access, plain }, (request, question) =>
      this.#insist(request, question),
    );
  }

  [Symbol.dispose](): void {
    this.#connections.close();
  }

  /** Whether nothing so far had to be signed. */
  get asksNobody(): boolean {
    return this.#authorizations.isUnused;
  }

  get clock(): Clock {
    return this.#access.clock;
  }

  /** The whole answer, whatever its status, but 401. */
  async ask(ask: Ask): Promise<HttpResponse> {
    const send = (request: HttpRequest, question: Question) => this.#insist(request, question, ask);
    return this.#signed(ask, send, (response) => challengesIn(response));
  }

  /** The answer as soon as it begins; a failing one is whole. */
  async open(ask: Ask): Promise<HttpStream | HttpResponse> {
    const send = (request: HttpRequest, question: Question) =>
      this.#insistOnStream(request, question);
    return this.#signed(ask, send, (response) => challengesIn(response));
  }

  /** The failure that an answer is. */
  refusal(ask: Ask, response: HttpResponse): Refused {
    return refused(this.#question(ask), response);
  }

  /** @throws {Refused} when the token that was given for the scopes says that it gives less. */
  expectGranted(ask: Ask): void {
    const question = this.#question(ask);
    const { given, scopes } = question;
    if (given === undefined || lacking(given, scopes).length === 0) return;
    throw ungranted(this.host, question);
  }

  /** An address that the registry gave, as it is to be asked: never less safely than the registry itself. */
  locate(location: string, base?: URL): URL {
    const url = new URL(location, base ?? this.#origin);
    const own = new URL(this.#origin);
    // A registry behind a proxy that ends TLS may think that it is spoken to in plain http.
    if (url.hostname === own.hostname && own.protocol === "https:" && url.protocol === "http:") {
      url.protocol = "https:";
      url.port = own.port;
    }
    return url;
  }

  async #signed<T extends HttpHead>(
    ask: Ask,
    send: (request: HttpRequest, question: Question) => Promise<T>,
    challengesOf: (response: T) => readonly Challenge[],
  ): Promise<T> {
    const { scopes, signal } = ask;
    const url = this.#urlOf(ask);
    // Storage elsewhere, its address signed for us: our credentials stay here.
    const ours = url.origin === this.#origin;
    const attempt = (authorization: string | undefined) =>
      send(this.#request(ask, url, authorization), this.#question(ask));
    if (!ours) return attempt(undefined);
    const first = await this.#authorizations.header(scopes, signal);
    const response = await attempt(first);
    if (response.status !== 401) return response;
    const again = await this.#authorizations.answer(challengesOf(response), scopes, first, signal);
    if (again === undefined) throw refused(this.#question(ask), asResponse(response));
    const second = await attempt(again);
    if (second.status === 401) throw refused(this.#question(ask), asResponse(second));
    return second;
  }

  #request(ask: Ask, url: URL, authorization: string | undefined): HttpRequest {
    const { method, headers, body, signal, silence = this.#access.silence } = ask;
    return {
      method,
      url,
      headers: authorization === undefined ? { ...headers } : { ...headers, authorization },
      signal,
      ...(body === undefined ? {} : { body }),
      ...(silence === undefined ? {} : { silence }),
    };
  }

  #urlOf({ where }: Ask): URL {
    return where instanceof URL ? where : new URL(where, this.#origin);
  }

  #question(ask: Ask): Question {
    const { method, scopes } = ask;
    const { as } = this.#authorizations;
    return {
      method,
      url: this.#urlOf(ask),
      scopes,
      as,
      given: this.#authorizations.given(scopes),
    };
  }

  /** Sends until an answer comes that waiting would not change. */
  async #insist(
    request: HttpRequest,
    question: Question,
    { flaw, once }: Pick<Ask, "flaw" | "once"> = {},
  ): Promise<HttpResponse> {
    const patience = this.#patienceWith(request.url);
    for (;;) {
      let retry: Retry | undefined;
      try {
        const response = await this.#send(request);
        const wrong = flaw?.(response);
        retry =
          wrong === undefined ? patience.afterAnswer(response) : patience.afterNonsense(wrong);
        if (retry === undefined || (once === true && wrong === undefined && isUnsure(response))) {
          return response;
        }
      } catch (error) {
        request.signal.throwIfAborted();
        retry = once === true ? undefined : patience.afterError(error);
        if (retry === undefined) throw unreachable(question, error);
      }
      await this.#wait(retry, question, request.signal);
    }
  }

  async #insistOnStream(
    request: HttpRequest,
    question: Question,
  ): Promise<HttpStream | HttpResponse> {
    const patience = this.#patienceWith(request.url);
    for (;;) {
      let retry: Retry | undefined;
      try {
        const stream = await this.#connections.open(request);
        this.#heard(request.url, stream);
        if (stream.status < 300) return stream;
        const response = await whole(stream);
        retry = patience.afterAnswer(response);
        if (retry === undefined) return response;
      } catch (error) {
        request.signal.throwIfAborted();
        retry = patience.afterError(error);
        if (retry === undefined) throw unreachable(question, error);
      }
      await this.#wait(retry, question, request.signal);
    }
  }

  #heard(url: URL, { status }: HttpHead): void {
    if (status < 500 && status !== 429) this.#heardOf.add(url.host);
  }

  #patienceWith(url: URL): Patience {
    return new Patience(this.#access.clock, this.#heardOf.has(url.host));
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    try {
      const response = await this.#connections.send(request);
      this.#heard(request.url, response);
      return response;
    } catch (error) {
      request.signal.throwIfAborted();
      throw error;
    }
  }

  async #wait(retry: Retry, { method, url }: Question, signal: AbortSignal): Promise<void> {
    if (retry.wait >= LONG_WAIT_MS) {
      const seconds = Math.round(retry.wait / 1_000);
      this.#access.log?.info(
        `${url.host} ${retry.why} to ${method} ${url.pathname}: asked again in ${seconds} s`,
      );
    }
    await this.#access.clock.sleep(retry.wait, signal);
  }
}

const LONG_WAIT_MS = 3_000;

/** Whether an answer leaves open what was done: one of a proxy that lost the registry's own. */
function isUnsure({ status }: HttpHead): boolean {
  return status >= 500 || status === 408;
}

function challengesIn({ headers }: HttpHead): readonly Challenge[] {
  return parseChallenges(headers["www-authenticate"] ?? "");
}

function asResponse(head: HttpHead): HttpResponse {
  return "body" in head ? (head as HttpResponse) : { ...head, body: Buffer.alloc(0) };
}

async function whole({ status, headers, pieces }: HttpStream): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  for await (const piece of pieces) chunks.push(piece);
  return { status, headers, body: Buffer.concat(chunks) };
}
