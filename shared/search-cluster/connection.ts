import type { Dispatcher } from "undici";
import { codeOf, describe, UserError } from "../failure/index.ts";
import { openPortForward } from "../kubernetes/index.ts";
import type { World } from "../world/index.ts";
import { productIn } from "./product.ts";
import { SearchRefusal } from "./refusal.ts";
import type { Product, SearchAccess } from "./settings.ts";

type Method = "GET" | "POST" | "PUT" | "DELETE" | "HEAD";

/** What to ask beside the path. */
export interface Question {
  readonly body?: unknown;
  /** The signal of the world when left out. */
  readonly signal?: AbortSignal;
  /** Milliseconds without an answer's beginning; a minute when left out. */
  readonly silence?: number;
}

/** A cluster that answered, and is what it was said to be. */
export interface SearchConnection extends AsyncDisposable {
  /** For messages: `OpenSearch 2.19.1 at https://search.example:9200`. */
  readonly place: string;
  readonly product: Product;
  readonly version: string;
  readonly clusterName: string;
  readonly clusterUuid: string;
  /**
   * The JSON of a successful answer.
   *
   * @throws {SearchRefusal} for any other; {UserError} where none comes.
   */
  ask<T>(method: Method, path: string, question?: Question): Promise<T>;
  /** As `ask`, undefined for 404. */
  find<T>(method: Method, path: string, question?: Question): Promise<T | undefined>;
  /** As `ask`, the bytes as they come. */
  read(method: Method, path: string, question?: Question): Promise<Buffer>;
}

const SILENCE_MS = 60_000;
/** Answers that pass: too many requests at once, no leader for a moment. */
const PAUSES_MS = [300, 1_500, 4_000];
const PASSING = new Set([429, 502, 503, 504]);
const PASSING_CODES = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "ECONNREFUSED"]);
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * Connects, and makes sure that it is the product and a version that this knows.
 *
 * @throws {UserError} where the address, the credentials or the server do not fit.
 */
export async function connectTo(access: SearchAccess, world: World): Promise<SearchConnection> {
  const address = addressOf(access);
  for (const secret of [access.password, access.apiKey, address.password]) {
    if (secret) world.secrets.add(secret);
  }
  const tunnel = access.pod && (await forward(access.pod, address.url, world.signal));
  const link = await openLink(access, address, tunnel);
  const wire = { link, world, authorization: authorizationOf(access, address) };
  const close = async () => {
    await link.dispatcher.destroy();
    await tunnel?.close();
  };
  try {
    const first = await send(wire, address.shown, "GET", "/", {});
    const server = productIn(JSON.parse(first.toString("utf8")), access.product, address.shown);
    const place = `${server.title} ${server.version} at ${address.shown}`;
    const read = (method: Method, path: string, question: Question = {}) =>
      send(wire, place, method, path, question);
    const ask = async <T>(method: Method, path: string, question: Question = {}) =>
      JSON.parse((await read(method, path, question)).toString("utf8") || "{}") as T;
    return {
      ...server,
      place,
      read,
      ask,
      async find<T>(method: Method, path: string, question: Question = {}) {
        try {
          return await ask<T>(method, path, question);
        } catch (error) {
          if (error instanceof SearchRefusal && error.status === 404) return undefined;
          throw error;
        }
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Address {
  readonly url: URL;
  /** Without credentials. */
  readonly shown: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
}

function addressOf({ url: text, pod, product }: SearchAccess): Address {
  if (text === undefined && pod === undefined) {
    throw new UserError({
      title: `The ${product} cluster was not named`,
      cause: "There is no address of it, and no pod.",
      remedy: "Give its address, such as https://search.example:9200.",
    });
  }
  const given = text ?? "http://127.0.0.1:9200";
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UserError({
      title: "The cluster's address cannot be used",
      cause: "It is not an address that begins with http:// or https://.",
      remedy: "Give it as https://search.example:9200, with user and password beside it.",
    });
  }
  const port = url.port || (text?.includes("://") && pod === undefined ? "" : "9200");
  const shown = `${url.protocol}//${url.hostname}${port ? `:${port}` : ""}${url.pathname.replace(/\/+$/, "")}`;
  return {
    url,
    shown: pod === undefined ? shown : `pod ${pod.namespace}/${pod.pod}`,
    user: url.username ? decodeURIComponent(url.username) : undefined,
    password: url.password ? decodeURIComponent(url.password) : undefined,
  };
}

function authorizationOf(access: SearchAccess, address: Address): string | undefined {
  if (access.apiKey) {
    const isPair = access.apiKey.includes(":");
    return `ApiKey ${isPair ? Buffer.from(access.apiKey).toString("base64") : access.apiKey}`;
  }
  const user = address.user ?? access.user;
  if (user === undefined) return undefined;
  const password = address.password ?? access.password ?? "";
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function forward(pod: NonNullable<SearchAccess["pod"]>, url: URL, signal: AbortSignal) {
  const port = Number(url.port || 9200);
  return openPortForward(pod.cluster, { namespace: pod.namespace, pod: pod.pod, port }, signal);
}

interface Link {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  readonly path: string;
  readonly host: string;
  /** What goes wrong on the way to a pod. */
  readonly trouble: () => string | undefined;
}

async function openLink(
  access: SearchAccess,
  { url }: Address,
  tunnel: Awaited<ReturnType<typeof forward>> | undefined,
): Promise<Link> {
  const { Agent, EnvHttpProxyAgent } = await import("undici");
  const tls = {
    ...(access.ca === undefined ? {} : { ca: access.ca }),
    ...(tunnel === undefined ? {} : { servername: url.hostname }),
  };
  const settings = { connections: 8, headersTimeout: 0, bodyTimeout: SILENCE_MS };
  const dispatcher =
    tunnel === undefined
      ? new EnvHttpProxyAgent({ ...settings, connect: tls, requestTls: tls })
      : new Agent({ ...settings, connect: tls });
  return {
    dispatcher,
    origin: tunnel === undefined ? url.origin : `${url.protocol}//${tunnel.host}:${tunnel.port}`,
    path: url.pathname.replace(/\/+$/, ""),
    host: url.host,
    trouble: () => tunnel?.lastError(),
  };
}

interface Wire {
  readonly link: Link;
  readonly world: World;
  readonly authorization: string | undefined;
}

async function send(
  wire: Wire,
  place: string,
  method: Method,
  path: string,
  question: Question,
): Promise<Buffer> {
  const signal = question.signal ?? wire.world.signal;
  for (let attempt = 0; ; attempt += 1) {
    // What changes something is not sent twice: its first answer may be the lost one.
    const pause = method === "GET" ? PAUSES_MS[attempt] : undefined;
    try {
      const { status, content } = await exchange(wire, method, path, question, signal);
      if (status < 300) return content;
      if (pause === undefined || !PASSING.has(status)) {
        const text = wire.world.secrets.redact(content.toString("utf8"));
        throw new SearchRefusal(`${method} ${shownPath(path)}`, place, status, text);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError) throw error;
      if (pause === undefined || !PASSING_CODES.has(codeOf(error) ?? "")) {
        throw unreachable(wire, place, `${method} ${shownPath(path)}`, error);
      }
    }
    await wire.world.clock.sleep(pause, signal);
  }
}

async function exchange(
  { link, authorization }: Wire,
  method: Method,
  path: string,
  { body, silence = SILENCE_MS }: Question,
  signal: AbortSignal,
): Promise<{ status: number; content: Buffer }> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), silence);
  try {
    const answer = await link.dispatcher.request({
      ...{ origin: link.origin, path: `${link.path}${path}`, method },
      headers: {
        ...{ host: link.host, accept: "application/json", "accept-encoding": "identity" },
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([signal, limit.signal]),
    });
    clearTimeout(timer);
    return { status: answer.statusCode, content: await contentOf(answer.body) };
  } catch (error) {
    signal.throwIfAborted();
    throw limit.signal.aborted ? new Error(`no answer within ${silence / 1_000} s`) : error;
  } finally {
    clearTimeout(timer);
  }
}

async function contentOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error("its answer is longer than 512 MB");
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function unreachable(wire: Wire, place: string, request: string, error: unknown): UserError {
  const words = wire.link.trouble() ?? describe(error);
  return new UserError(
    {
      title: `${place} does not answer`,
      cause: `${request} got no answer: ${endOf(wire.world.secrets.redact(words))}`,
      remedy: /certificate|self.signed|altname/i.test(words)
        ? "Give the certificates that vouch for it, and an address that they name."
        : "Check the address, the network and that the cluster runs, and run this again.",
    },
    { reason: error },
  );
}

function endOf(words: string): string {
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

function shownPath(path: string): string {
  const [plain = ""] = path.split("?");
  return plain.length > 100 ? `${plain.slice(0, 97)}...` : plain;
}
