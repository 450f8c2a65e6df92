import type { Secrets } from "../secrets/index.ts";
import type { Clock } from "../world/index.ts";
import type { Challenge } from "./challenge.ts";
import { basicAuth, type Credentials } from "./credentials.ts";
import { type Question, refused } from "./registry-error.ts";
import type { HttpRequest, HttpResponse } from "./request.ts";
import { covers, mergedScopes, scopesOfToken } from "./scope.ts";

/** The leave to do what some scopes name. */
interface Grant {
  /** The header Authorization. */
  readonly authorization: string;
  readonly scopes: readonly string[];
  /** What the token itself says it gives, where it can be read. */
  readonly given: readonly string[] | undefined;
  /** In milliseconds since the Unix epoch. */
  readonly until: number;
}

/** Sends a request to a token server, patiently. */
export type AskForToken = (request: HttpRequest, question: Question) => Promise<HttpResponse>;

interface Holder {
  readonly credentials: Credentials | undefined;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Whether the registry itself is spoken to in plain http. */
  readonly plain: boolean;
}

// "For compatibility with older clients, a token should never be returned with less than 60
// seconds to live", and where nothing is said it is that. Source: distribution, "Token Response".
const SHORTEST_LIFE_MS = 60_000;
/** A request that begins now must still be allowed when it arrives. */
const MARGIN_MS = 5_000;

/**
 * The tokens by which a registry lets us do things: each fetched once, kept while it holds, and
 * fetched anew when it has run out. Source: distribution, "Token Authentication".
 */
export class Authorizations {
  readonly #holder: Holder;
  readonly #ask: AskForToken;
  readonly #fetching = new Map<string, Promise<Grant | undefined>>();
  #grants: readonly Grant[] = [];
  #bearer: Challenge | undefined;

  constructor(holder: Holder, ask: AskForToken) {
    this.#holder = holder;
    this.#ask = ask;
  }

  /** How we sign, for messages; undefined without credentials. */
  get as(): string | undefined {
    const { credentials } = this.#holder;
    if (credentials === undefined) return undefined;
    return credentials.kind === "password" ? credentials.username : "the bearer of a token";
  }

  /** Whether nobody has asked for any. */
  get isUnused(): boolean {
    return this.#bearer === undefined && this.#grants.length === 0 && this.#fetching.size === 0;
  }

  /** What the token for these scopes says it gives; undefined where none says. */
  given(scopes: readonly string[]): readonly string[] | undefined {
    return this.#grantFor(scopes)?.given;
  }

  /** The header to begin with; undefined when the registry is to be asked first what it wants. */
  async header(scopes: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    const known = this.#grantFor(scopes);
    if (known !== undefined) return known.authorization;
    if (this.#bearer === undefined) return undefined;
    // Where tokens are wanted for one thing, they are for the next: this saves a refusal.
    try {
      return (await this.#tokenFor(this.#bearer, scopes, signal))?.authorization;
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }

  /** The header that answers a registry's challenges to a request that bore `rejected`. */
  async answer(
    challenges: readonly Challenge[],
    scopes: readonly string[],
    rejected: string | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const newer = this.#grantFor(scopes);
    if (newer !== undefined && newer.authorization !== rejected) return newer.authorization;
    this.#grants = this.#grants.filter(({ authorization }) => authorization !== rejected);
    const { credentials } = this.#holder;
    if (credentials?.kind === "registry-token") return `Bearer ${credentials.token}`;
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) {
      this.#bearer = bearer;
      return (await this.#tokenFor(bearer, scopes, signal))?.authorization;
    }
    const basic = challenges.some(({ scheme }) => scheme === "basic");
    if (!basic || credentials?.kind !== "password") return undefined;
    const authorization = `Basic ${basicAuth(credentials.username, credentials.password)}`;
    this.#keep({ authorization, scopes, given: undefined, until: Number.POSITIVE_INFINITY });
    return authorization;
  }

  #grantFor(scopes: readonly string[]): Grant | undefined {
    const soon = this.#holder.clock.now() + MARGIN_MS;
    return this.#grants.find(
      (grant) =>
        grant.until > soon &&
        (grant.authorization.startsWith("Basic ") || covers(grant.scopes, scopes)),
    );
  }

  #keep(grant: Grant): void {
    this.#grants = [grant, ...this.#grants.filter(({ scopes }) => !covers(grant.scopes, scopes))];
  }

  /** One question for all who want the same at the same time. */
  async #tokenFor(
    bearer: Challenge,
    scopes: readonly string[],
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    // What a registry itself names may be more than we thought of, such as `delete`.
    const wanted = mergedScopes([...scopes, bearer.parameters.scope ?? ""]);
    const mine = covers(wanted, scopes) && sameResources(wanted, scopes) ? wanted : scopes;
    const key = mine.join(" ");
    const others = this.#fetching.get(key);
    if (others !== undefined) {
      try {
        return await others;
      } catch (error) {
        // Those who asked may have been cancelled, while we put the world right after that.
        signal.throwIfAborted();
        if (this.#fetching.has(key)) throw error;
      }
    }
    const fetching = this.#fetch(bearer, mine, signal);
    this.#fetching.set(key, fetching);
    try {
      const grant = await fetching;
      if (grant !== undefined) this.#keep(grant);
      return grant;
    } finally {
      this.#fetching.delete(key);
    }
  }

  async #fetch(
    { parameters: { realm, service } }: Challenge,
    scopes: readonly string[],
    signal: AbortSignal,
  ): Promise<Grant | undefined> {
    const url = this.#realmOf(realm);
    if (url === undefined) return undefined;
    const { credentials, secrets, clock } = this.#holder;
    const request = tokenRequest(url, service, scopes, credentials);
    const question: Question = {
      method: request.method,
      url: request.url,
      scopes,
      as: this.as,
      given: undefined,
    };
    const asked = clock.now();
    const response = await this.#ask({ ...request, signal }, question);
    if (response.status !== 200) throw refused(question, response);
    const found = tokenIn(response.body.toString("utf8"));
    if (found === undefined) return undefined;
    secrets.add(found.token);
    const given = scopesOfToken(found.token);
    const until = asked + Math.max(found.life * 1_000, SHORTEST_LIFE_MS);
    return { authorization: `Bearer ${found.token}`, scopes, given, until };
  }

  /** Where to ask for a token: never in plain http, unless the registry itself is spoken to so. */
  #realmOf(realm: string | undefined): URL | undefined {
    if (realm === undefined || !URL.canParse(realm)) return undefined;
    const url = new URL(realm);
    const safe = url.protocol === "https:" || this.#holder.plain;
    return safe && /^https?:$/.test(url.protocol) ? url : undefined;
  }
}

function sameResources(some: readonly string[], others: readonly string[]): boolean {
  const resources = (scopes: readonly string[]) =>
    new Set(scopes.map((scope) => scope.slice(0, scope.lastIndexOf(":"))));
  return resources(some).symmetricDifference(resources(others)).size === 0;
}

function tokenRequest(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): Pick<HttpRequest, "method" | "url" | "headers" | "body"> {
  const asked = new URLSearchParams(service === undefined ? {} : { service });
  if (credentials?.kind === "identity-token") {
    // The one field holds all of them, where the address has one parameter for each.
    asked.set("scope", scopes.join(" "));
    asked.set("grant_type", "refresh_token");
    asked.set("client_id", "seaworthy");
    asked.set("refresh_token", credentials.token);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: () => Buffer.from(asked.toString()) };
  }
  for (const scope of scopes) asked.append("scope", scope);
  const url = new URL(realm);
  for (const [name, value] of asked) url.searchParams.append(name, value);
  if (credentials?.kind !== "password") return { method: "GET", url };
  const authorization = `Basic ${basicAuth(credentials.username, credentials.password)}`;
  return { method: "GET", url, headers: { authorization } };
}

function tokenIn(text: string): { readonly token: string; readonly life: number } | undefined {
  try {
    const { token, access_token: other, expires_in: life } = JSON.parse(text);
    const found: unknown = token ?? other;
    if (typeof found !== "string" || found === "") return undefined;
    return { token: found, life: typeof life === "number" ? life : 0 };
  } catch {
    return undefined;
  }
}
