import { UserError } from "../failure/index.ts";
import { type ApiAnswer, WebApi, wordsOf } from "../web-api/index.ts";
import type { World } from "../world/index.ts";

export interface GitHubAccess {
  readonly token: string;
  readonly world: Pick<World, "clock" | "environment" | "secrets">;
}

/** GitHub's REST API, by one token, at the server that the job runs on. */
export class GitHub implements Disposable {
  readonly #token: string;
  readonly #base: string;
  readonly #web: WebApi;
  readonly #secrets: GitHubAccess["world"]["secrets"];

  constructor({ token, world }: GitHubAccess) {
    world.secrets.add(token);
    this.#token = token;
    this.#secrets = world.secrets;
    this.#base = (world.environment.GITHUB_API_URL || "https://api.github.com").replace(/\/+$/, "");
    this.#web = new WebApi(world);
  }

  [Symbol.dispose](): void {
    this.#web[Symbol.dispose]();
  }

  /**
   * What is at a path; undefined when there is nothing, or nothing that this token may see.
   *
   * @throws {UserError} when GitHub refuses, naming the permission that `needs` tells.
   */
  async get<T>(path: string, needs: string, signal: AbortSignal): Promise<T | undefined> {
    const answer = await this.#ask("GET", new URL(`${this.#base}${path}`), signal);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw this.#refusal("GET", path, answer, needs);
    return JSON.parse(answer.text) as T;
  }

  /**
   * Where a path leads to, as a short-lived address that needs no token and is as good as one: it
   * is hidden from then on. Undefined when nothing is there, or not any more.
   *
   * @throws {UserError} when GitHub refuses.
   */
  async locate(path: string, needs: string, signal: AbortSignal): Promise<URL | undefined> {
    const answer = await this.#ask("GET", new URL(`${this.#base}${path}`), signal);
    if (answer.status === 404 || answer.status === 410) return undefined;
    const url = URL.parse(answer.headers.location ?? "");
    if (answer.status !== 302 || url === null) throw this.#refusal("GET", path, answer, needs);
    for (const value of url.searchParams.values()) {
      if (value.length >= 20) this.#secrets.add(value);
    }
    return url;
  }

  /**
   * The items of a list, page after page as they are wanted; undefined when there is no such list.
   *
   * @throws {UserError} when GitHub refuses.
   */
  async list<T>(
    path: string,
    needs: string,
    signal: AbortSignal,
  ): Promise<AsyncIterable<T> | undefined> {
    const url = new URL(`${this.#base}${path}`);
    url.searchParams.set("per_page", "100");
    const first = await this.#ask("GET", url, signal);
    if (first.status === 404) return undefined;
    return this.#pages<T>(path, url, first, needs, signal);
  }

  async *#pages<T>(
    path: string,
    first: URL,
    answered: ApiAnswer,
    needs: string,
    signal: AbortSignal,
  ): AsyncGenerator<T> {
    let [url, answer] = [first, answered];
    for (;;) {
      if (answer.status !== 200) throw this.#refusal("GET", path, answer, needs);
      yield* itemsOf<T>(JSON.parse(answer.text));
      const next = nextPage(answer.headers.link, url);
      if (next === undefined) return;
      [url, answer] = [next, await this.#ask("GET", next, signal)];
    }
  }

  /**
   * Deletes what is at a path; what is gone already is no failure.
   *
   * @throws {UserError} when GitHub refuses.
   */
  async delete(path: string, needs: string, signal: AbortSignal): Promise<void> {
    const answer = await this.#ask("DELETE", new URL(`${this.#base}${path}`), signal);
    if (answer.status === 404 || (answer.status >= 200 && answer.status < 300)) return;
    throw this.#refusal("DELETE", path, answer, needs);
  }

  #ask(method: "GET" | "DELETE", url: URL, signal: AbortSignal): Promise<ApiAnswer> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
    };
    return this.#web.ask({ method, url, headers, signal, service: "GitHub's API" });
  }

  #refusal(method: string, path: string, answer: ApiAnswer, needs: string): UserError {
    const { status, headers } = answer;
    const words = wordsOf(answer);
    const cause = `${method} ${this.#base}${path} answered ${status}: ${words || "no words"}.`;
    if (status === 429 || headers["x-ratelimit-remaining"] === "0") {
      return new UserError({
        title: "GitHub's API is asked too often",
        cause,
        remedy: "Run again later: the token's limit is for an hour.",
      });
    }
    if (status === 401) {
      return new UserError({
        title: "GitHub's API does not accept the token",
        cause,
        remedy: "Check the input `token`: it may be expired or of another server.",
      });
    }
    const forbidden = status === 403;
    return new UserError({
      title: forbidden ? "GitHub's API forbids it" : `GitHub's API answered ${status}`,
      cause,
      remedy: forbidden ? `Give the job or token what it needs: ${needs}.` : `Needed is: ${needs}.`,
    });
  }
}

/** Lists come bare, or in an object beside their count. */
function itemsOf<T>(page: unknown): readonly T[] {
  if (Array.isArray(page)) return page as T[];
  const inner = Object.values((page ?? {}) as object).find(Array.isArray);
  return (inner ?? []) as T[];
}

/** Source: RFC 8288; GitHub, "Using pagination in the REST API". A page elsewhere is none. */
function nextPage(link: string | undefined, current: URL): URL | undefined {
  const next = /<([^>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  const url = next === undefined ? null : URL.parse(next, current.href);
  return url !== null && url.origin === current.origin ? url : undefined;
}
