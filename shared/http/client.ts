import type { Dispatcher } from "undici";
import { explain, type TlsOptions, Unanswered } from "../probe/index.ts";
import { decodeBody, readBody } from "./body.ts";
import type { Answer } from "./check.ts";
import { redirected } from "./redirect.ts";
import type { HttpRequest } from "./request.ts";

const MOST_REDIRECTS = 5;

/** Sends requests, each on a connection of its own, so that no old backend is asked again. */
export interface Client {
  /**
   * Reads the answer to its end, or as far as its request wants it. Time counts from the first
   * request to the last byte read, redirects included.
   *
   * @throws {Unanswered} when no whole answer came within `timeout` milliseconds.
   * @throws the reason of `signal` when that aborts.
   */
  send(request: HttpRequest, timeout: number, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A client that takes the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, except for
 * requests with a `via`.
 */
export async function openClient(environment: Environment, tls?: TlsOptions): Promise<Client> {
  const { Agent, EnvHttpProxyAgent } = await import("undici");
  // Pipelining 0 closes each connection after its answer. HTTP/1.1 suffices for a check.
  const settings = {
    ...{ pipelining: 0, allowH2: false, headersTimeout: 0, bodyTimeout: 0 },
    ...(tls === undefined ? {} : { connect: { ...tls } }),
  };
  const direct = new Agent(settings);
  const outward = new EnvHttpProxyAgent({
    ...settings,
    ...(tls === undefined ? {} : { requestTls: { ...tls } }),
    httpProxy: environment.http_proxy ?? environment.HTTP_PROXY ?? "",
    httpsProxy: environment.https_proxy ?? environment.HTTPS_PROXY ?? "",
    noProxy: environment.no_proxy ?? environment.NO_PROXY ?? "",
  });
  return {
    async send(request, timeout, signal) {
      const dispatcher = request.via === undefined ? outward : direct;
      const clock = new AbortController();
      const timer = setTimeout(() => clock.abort(), timeout);
      const progress: Progress = { bytes: undefined };
      try {
        const limit = AbortSignal.any([signal, clock.signal]);
        return await follow(dispatcher, request, limit, progress);
      } catch (error) {
        signal.throwIfAborted();
        throw clock.signal.aborted
          ? late(request.url.host, timeout, progress, error)
          : explain(error, request.url.host);
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      await Promise.all([direct.destroy(), outward.destroy()]);
    },
  };
}

/** How far a request came: body bytes so far, once the headers were there. */
interface Progress {
  bytes: number | undefined;
}

function late(host: string, timeout: number, { bytes }: Progress, reason: unknown): Unanswered {
  const seconds = timeout / 1_000;
  const message =
    bytes === undefined
      ? `${host} gave no answer within ${seconds} s`
      : `${host} had not finished its answer after ${seconds} s (${bytes} bytes of body so far)`;
  return new Unanswered(message, { trouble: "timeout", patience: Infinity, reason });
}

async function follow(
  dispatcher: Dispatcher,
  first: HttpRequest,
  signal: AbortSignal,
  progress: Progress,
): Promise<Answer> {
  const began = performance.now();
  let request = first;
  for (let hops = 0; ; hops += 1) {
    const answer = await exchange(dispatcher, request, signal, progress);
    const next = first.followRedirects ? redirected(request, answer) : undefined;
    if (next === undefined) return { ...answer, milliseconds: performance.now() - began };
    if (hops === MOST_REDIRECTS) throw tooManyRedirects(next.url);
    request = next;
  }
}

function tooManyRedirects(url: URL): Unanswered {
  const message = `after ${MOST_REDIRECTS} redirects there is another one, to ${url.href}`;
  return new Unanswered(message, { trouble: "redirect", patience: Infinity });
}

async function exchange(
  dispatcher: Dispatcher,
  { url, via, method, headers, body, wholeBody }: HttpRequest,
  signal: AbortSignal,
  progress: Progress,
): Promise<Omit<Answer, "milliseconds">> {
  const origin =
    via === undefined ? url.origin : `${url.protocol}//${bracketed(via.host)}:${via.port}`;
  const response = await dispatcher.request({
    origin,
    path: `${url.pathname}${url.search}`,
    method: method as Dispatcher.HttpMethod,
    headers: { "accept-encoding": "identity", accept: "*/*", host: url.host, ...headers },
    body: body ?? null,
    signal,
  });
  progress.bytes = 0;
  const raw = await readBody(response.body, wholeBody, (bytes) => {
    progress.bytes = bytes;
  });
  const given = joined(response.headers);
  const { text, truncated, undecodable } = await decodeBody(raw, given);
  return {
    status: response.statusCode,
    headers: given,
    body: text,
    bodyBytes: raw.bytes,
    complete: raw.complete,
    truncated,
    undecodable,
  };
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>) {
  const entries = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(", ") : (value ?? ""),
  ]);
  return Object.fromEntries(entries) as Record<string, string>;
}
