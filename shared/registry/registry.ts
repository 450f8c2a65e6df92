import { createHash } from "node:crypto";
import { codeOf } from "../failure/index.ts";
import { isLoopback } from "../images/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Clock } from "../world/index.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { basicAuth, type Credentials } from "./credentials.ts";
import { MANIFEST_TYPES } from "./manifest.ts";
import {
  contradictory,
  noRegistry,
  type Question,
  refused,
  unreachable,
} from "./registry-error.ts";
import { Connections, type HttpRequest, type HttpResponse } from "./request.ts";

export interface RegistryAccess {
  /** As in an image's name. */
  readonly host: string;
  readonly credentials: Credentials | undefined;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A manifest as the registry holds it. */
export interface StoredManifest {
  /** As the registry reports it, and as its bytes have it. */
  readonly digest: string;
  readonly text: string;
}

// Between the first try and the last lie 4.75 s: the length of a registry's hiccup.
const PAUSES_MS = [250, 1_000, 3_500];
const LONGEST_PAUSE_MS = 15_000;
/** To say that it is there, a registry needs less time than to find a manifest. */
const KNOCK_SILENCE_MS = 10_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "EAI_AGAIN"]);

/**
 * A registry, asked over the OCI distribution protocol. Only loopback registries are spoken to in
 * plain http. Answers 429 and 5xx and broken connections are tried again, 401 and 403 never.
 * Every method throws a `UserError` when the registry cannot be reached or refuses.
 */
export class Registry implements Disposable {
  readonly #access: RegistryAccess;
  readonly #origin: string;
  readonly #connections: Connections;
  readonly #authorizations = new Map<string, string>();

  constructor(access: RegistryAccess) {
    this.#access = access;
    const host = access.host === "docker.io" ? "registry-1.docker.io" : access.host;
    this.#origin = `${isLoopback(host) ? "http" : "https"}://${host}`;
    this.#connections = new Connections(access.environment);
  }

  [Symbol.dispose](): void {
    this.#connections.close();
  }

  /**
   * Asks whether the registry answers and would let us read and write a repository. That a token
   * was given is no promise: some registries say no only to the push itself.
   */
  async checkAccess(path: string, signal: AbortSignal): Promise<void> {
    const scope = `repository:${path}:pull,push`;
    const response = await this.#ask("GET", "/v2/", scope, signal, {});
    if (response.status !== 200) throw this.#refusal("/v2/", response, scope);
    // A site that answers everything with its front page would take every push for done.
    if (/^text\/html\b/i.test(response.headers["content-type"] ?? "")) {
      throw noRegistry(new URL("/v2/", this.#origin));
    }
  }

  /** The manifest under a tag or digest; undefined when there is none. */
  async manifest(
    path: string,
    reference: string,
    signal: AbortSignal,
  ): Promise<StoredManifest | undefined> {
    const response = await this.#ofRepository(path, "GET", `manifests/${reference}`, signal);
    if (response === undefined) return undefined;
    const computed = `sha256:${createHash("sha256").update(response.body).digest("hex")}`;
    const reported = response.headers["docker-content-digest"];
    if (typeof reported === "string" && reported !== computed) {
      throw contradictory(`${this.#access.host}/${path}`, reference, reported, computed);
    }
    return { digest: computed, text: response.body.toString("utf8") };
  }

  /** The digest under a tag, without the manifest; undefined when there is no such tag. */
  async digestOf(path: string, tag: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#ofRepository(path, "HEAD", `manifests/${tag}`, signal);
    const reported = response?.headers["docker-content-digest"];
    if (response === undefined || typeof reported === "string") return reported as string;
    return (await this.manifest(path, tag, signal))?.digest;
  }

  /** Whether a layer or configuration is there. */
  async hasBlob(path: string, digest: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#ofRepository(path, "HEAD", `blobs/${digest}`, signal);
    return response !== undefined;
  }

  /** The text of a small blob; undefined when there is none. */
  async blob(path: string, digest: string, signal: AbortSignal): Promise<string | undefined> {
    const response = await this.#ofRepository(path, "GET", `blobs/${digest}`, signal);
    if (response === undefined) return undefined;
    const { location } = response.headers;
    if (location === undefined) return response.body.toString("utf8");
    // Storage elsewhere, its address signed for us: our credentials stay here.
    const url = new URL(location, this.#origin);
    const question: Question = { method: "GET", url, scope: undefined, as: undefined };
    const stored = await this.#insist({ method: "GET", url, signal }, question);
    if (stored.status !== 200) throw refused(question, stored);
    return stored.body.toString("utf8");
  }

  async #ofRepository(
    path: string,
    method: "GET" | "HEAD",
    what: string,
    signal: AbortSignal,
  ): Promise<HttpResponse | undefined> {
    const where = `/v2/${path}/${what}`;
    const scope = `repository:${path}:pull`;
    const accept = what.startsWith("manifests/") ? { accept: MANIFEST_TYPES.join(", ") } : {};
    const response = await this.#ask(method, where, scope, signal, accept);
    if (response.status === 404) return undefined;
    // A registry that redirects has found the blob: it looks before it signs an address.
    const moved = what.startsWith("blobs/") && response.status >= 301 && response.status <= 308;
    if (response.status === 200 || moved) return response;
    throw this.#refusal(where, response, scope, method);
  }

  async #ask(
    method: "GET" | "HEAD",
    where: string,
    scope: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>>,
  ): Promise<HttpResponse> {
    const url = new URL(where, this.#origin);
    const question: Question = { method, url, scope, as: this.#who() };
    const send = (authorization: string | undefined) => {
      const signed = authorization === undefined ? headers : { ...headers, authorization };
      const silence = where === "/v2/" ? { silence: KNOCK_SILENCE_MS } : {};
      return this.#insist({ method, url, headers: signed, signal, ...silence }, question);
    };
    // Whoever may push may pull: one token does for both.
    const known = [scope, scope.replace(/:pull$/, ":pull,push")];
    const response = await send(known.map((each) => this.#authorizations.get(each)).find(Boolean));
    if (response.status !== 401) return response;
    const challenges = parseChallenges(response.headers["www-authenticate"] ?? "");
    const authorization = await this.#authorize(challenges, scope, signal);
    if (authorization === undefined) throw refused(question, response);
    this.#authorizations.set(scope, authorization);
    const second = await send(authorization);
    if (second.status === 401) throw refused(question, second);
    return second;
  }

  /** The Authorization header that answers a challenge. Source: distribution, "Token Auth". */
  async #authorize(
    challenges: readonly Challenge[],
    scope: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { credentials } = this.#access;
    if (credentials?.kind === "registry-token") return `Bearer ${credentials.token}`;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) return this.#fetchToken(bearer.parameters, scope, signal);
    const basic = challenges.some(({ scheme }) => scheme === "basic");
    if (!basic || credentials?.kind !== "password") return undefined;
    return `Basic ${basicAuth(credentials.username, credentials.password)}`;
  }

  async #fetchToken(
    { realm, service }: Readonly<Record<string, string>>,
    scope: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const url = this.#realmOf(realm);
    if (url === undefined) return undefined;
    const request = tokenRequest(url, service, scope, this.#access.credentials);
    const question: Question = { method: request.method, url: request.url, scope, as: this.#who() };
    const response = await this.#insist({ ...request, signal }, question);
    if (response.status !== 200) throw refused(question, response);
    const token = tokenIn(response.body.toString("utf8"));
    if (token === undefined) return undefined;
    this.#access.secrets.add(token);
    return `Bearer ${token}`;
  }

  /** Where to ask for a token: never in plain http, unless the registry itself is spoken to so. */
  #realmOf(realm: string | undefined): URL | undefined {
    if (realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const safe = url.protocol === "https:" || this.#origin.startsWith("http:");
    return safe && /^https?:$/.test(url.protocol) ? url : undefined;
  }

  /** Sends until an answer comes that waiting would not change. */
  async #insist(request: HttpRequest, question: Question): Promise<HttpResponse> {
    for (let attempt = 0; ; attempt += 1) {
      const pause = PAUSES_MS[attempt];
      let wait = pause;
      try {
        const response = await this.#connections.send(request);
        if (pause === undefined || !PASSING.has(response.status)) return response;
        wait = Math.max(pause, retryAfter(response, this.#access.clock.now()));
      } catch (error) {
        request.signal.throwIfAborted();
        const passes = PASSING_CODES.has(codeOf(error) ?? "");
        if (pause === undefined || !passes) throw unreachable(question, error);
      }
      await this.#access.clock.sleep(wait ?? 0, request.signal);
    }
  }

  #refusal(where: string, response: HttpResponse, scope: string, method = "GET") {
    return refused({ method, url: new URL(where, this.#origin), scope, as: this.#who() }, response);
  }

  #who(): string | undefined {
    const { credentials } = this.#access;
    if (credentials === undefined) return undefined;
    return credentials.kind === "password" ? credentials.username : "the bearer of a token";
  }
}

function tokenRequest(
  realm: URL,
  service: string | undefined,
  scope: string,
  credentials: Credentials | undefined,
): Pick<HttpRequest, "method" | "url" | "headers" | "body"> {
  const asked = new URLSearchParams({ ...(service === undefined ? {} : { service }), scope });
  if (credentials?.kind === "identity-token") {
    asked.set("grant_type", "refresh_token");
    asked.set("client_id", "seaworthy");
    asked.set("refresh_token", credentials.token);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: asked.toString() };
  }
  const url = new URL(realm);
  for (const [name, value] of asked) url.searchParams.append(name, value);
  if (credentials?.kind !== "password") return { method: "GET", url };
  const authorization = `Basic ${basicAuth(credentials.username, credentials.password)}`;
  return { method: "GET", url, headers: { authorization } };
}

function tokenIn(text: string): string | undefined {
  try {
    const { token, access_token: other } = JSON.parse(text) as Record<string, unknown>;
    const found = token ?? other;
    return typeof found === "string" && found !== "" ? found : undefined;
  } catch {
    return undefined;
  }
}

/** How long a registry asks us to wait, in milliseconds, within reason; 0 when it does not. */
export function retryAfter({ headers }: Pick<HttpResponse, "headers">, now: number): number {
  const given = headers["retry-after"];
  if (given === undefined) return 0;
  const until = /^\d+$/.test(given) ? Number(given) * 1_000 : Date.parse(given) - now;
  return Number.isNaN(until) ? 0 : Math.min(Math.max(until, 0), LONGEST_PAUSE_MS);
}
