import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What a fault server was asked. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  /** Whether it came from the action, not from BuildKit. */
  readonly ours: boolean;
}

/** What is done to a request in place of passing it on, or to its answer on the way back. */
export type Fault =
  /** An answer in place of the registry's. */
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The answer to another request. */
  | { readonly path: string }
  /** The answer with other headers. */
  | { readonly altered: Readonly<Record<string, string>> }
  /** Nothing for so many milliseconds, and then a broken line. */
  | { readonly stall: number }
  /** Passed on after so many milliseconds. */
  | { readonly late: number }
  /** The answer byte by byte, this many milliseconds apart. */
  | { readonly trickle: number }
  /** The request is cut after so many bytes of its body: the registry gets no more. */
  | { readonly cutAfter: number }
  /** A broken line before anything is read. */
  | "reset"
  /** The registry does what it was asked, and the line breaks before a word of its answer. */
  | "unanswered"
  /** The registry does what it was asked, and the last byte of its answer is missing. */
  | "last-byte"
  /** Half of the answer, called the whole. */
  | "short"
  /** The answer with one bit turned over. */
  | "garbled";

/** Tells what to do with a request, given those before it; undefined passes it on. */
export type Rule = (asked: Asked, before: readonly Asked[]) => Fault | undefined;

/** A server before the real registry that misbehaves as a test says. */
export class FaultRegistry implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** Every manifest that the registry took under a tag, whether or not its answer came through. */
  readonly tagged: { readonly path: string; readonly tag: string; readonly text: string }[] = [];
  readonly #server: Server;
  readonly #registry: string;
  readonly #fault: Rule;
  readonly #timers = new Set<NodeJS.Timeout>();

  private constructor(registry: string, fault: Rule) {
    this.#registry = registry;
    this.#fault = fault;
    this.#server = createServer((incoming, answer) => this.#handle(incoming, answer));
  }

  static async start(registry: string, fault: Rule = () => undefined): Promise<FaultRegistry> {
    const started = new FaultRegistry(registry, fault);
    await once(started.#server.listen(0, "127.0.0.1"), "listening");
    return started;
  }

  /** Host and port, as a registry's name begins. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #handle(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = "", url = "", headers } = incoming;
    const ours = !/buildkit|containerd/i.test(headers["user-agent"] ?? "");
    const asked = { method, url, authorization: headers.authorization, ours };
    const fault = this.#fault(asked, this.asked);
    this.asked.push(asked);
    // A client that leaves is no trouble of ours.
    incoming.on("error", () => {});
    answer.on("error", () => {});
    if (fault === "reset") {
      incoming.socket.resetAndDestroy();
    } else if (isKind(fault, "status")) {
      incoming.resume();
      answer.writeHead(fault.status, fault.headers).end(method === "HEAD" ? undefined : fault.body);
    } else if (isKind(fault, "stall")) {
      incoming.resume();
      this.#after(fault.stall, () => incoming.socket.resetAndDestroy());
    } else if (isKind(fault, "late")) {
      this.#after(fault.late, () => this.#pass(incoming, answer, undefined));
    } else {
      this.#pass(incoming, answer, fault);
    }
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): void {
    const [host, port] = this.#registry.split(":");
    const { method, headers, url } = incoming;
    const path = isKind(fault, "path") ? fault.path : url;
    // The host of the request stays, so that the registry's own links lead back here.
    const { authorization: _, ...rest } = headers;
    const sent = request({ host, port, method, path, headers: rest }, (received) => {
      if (received.statusCode === 201) this.#remember(incoming, text());
      received.on("error", () => answer.destroy());
      this.#answer(received, answer, fault);
    });
    sent.on("error", () => answer.destroy());
    const text = textOf(incoming);
    if (!isKind(fault, "cutAfter")) {
      incoming.pipe(sent);
      return;
    }
    let left = fault.cutAfter;
    incoming.on("data", (piece: Buffer) => {
      if (left > 0) sent.write(piece.subarray(0, left));
      left -= piece.length;
    });
    incoming.on("end", () => {
      sent.destroy();
      incoming.socket.resetAndDestroy();
    });
  }

  #remember({ method, url = "" }: IncomingMessage, text: string): void {
    const [, path, tag] = /^\/v2\/(.+)\/manifests\/([^:?]+)$/.exec(url) ?? [];
    if (method !== "PUT" || path === undefined || tag === undefined) return;
    this.tagged.push({ path, tag, text });
  }

  #answer(received: IncomingMessage, answer: ServerResponse, fault: Fault | undefined): void {
    const status = received.statusCode ?? 502;
    if (fault === "unanswered") {
      received.resume();
      received.on("end", () => answer.socket?.resetAndDestroy());
      return;
    }
    if (isKind(fault, "altered")) {
      answer.writeHead(status, { ...received.headers, ...fault.altered });
      received.pipe(answer);
      return;
    }
    const changes = fault === "last-byte" || fault === "short" || fault === "garbled";
    if (!changes && !isKind(fault, "trickle")) {
      answer.writeHead(status, received.headers);
      received.pipe(answer);
      return;
    }
    const pieces: Buffer[] = [];
    received.on("data", (piece: Buffer) => pieces.push(piece));
    received.on("end", () => this.#spoil(received, Buffer.concat(pieces), answer, fault));
  }

  #spoil(
    { statusCode = 502, headers }: IncomingMessage,
    body: Buffer,
    answer: ServerResponse,
    fault: Fault | undefined,
  ): void {
    if (fault === "last-byte") {
      // Of an answer without a body, that byte is one of its head.
      if (body.length === 0) {
        answer.socket?.end(`HTTP/1.1 ${statusCode} Cut\r\nContent-Length: 0\r\n`);
        return;
      }
      answer.writeHead(statusCode, headers);
      answer.write(body.subarray(0, -1), () => answer.socket?.resetAndDestroy());
    } else if (isKind(fault, "trickle")) {
      answer.writeHead(statusCode, headers);
      this.#drip(body, fault.trickle, answer);
    } else {
      const spoiled = fault === "short" ? body.subarray(0, body.length >> 1) : garbled(body);
      answer.writeHead(statusCode, { ...headers, "content-length": `${spoiled.length}` });
      answer.end(spoiled);
    }
  }

  #drip(body: Buffer, milliseconds: number, answer: ServerResponse): void {
    if (body.length === 0) {
      answer.end();
      return;
    }
    answer.write(body.subarray(0, 1));
    this.#after(milliseconds, () => this.#drip(body.subarray(1), milliseconds, answer));
  }

  #after(milliseconds: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, milliseconds);
    this.#timers.add(timer);
  }
}

function isKind<K extends string>(
  fault: Fault | undefined,
  name: K,
): fault is Extract<Fault, { readonly [_ in K]: unknown }> {
  return typeof fault === "object" && name in fault;
}

/** What is sent with a request, once it is there; of small ones only. */
function textOf(incoming: IncomingMessage): () => string {
  const pieces: Buffer[] = [];
  const manifest = incoming.url?.includes("/manifests/") === true;
  if (manifest) incoming.on("data", (piece: Buffer) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString("utf8");
}

function garbled(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  const middle = copy.length >> 1;
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(middle) ^ 1, middle);
  return copy;
}

/** A registry that wants tokens: the rules of the distribution specification's "Token Auth". */
export function tokenRules(options: {
  readonly username: string;
  readonly password: string;
  /** What the account may do; pull and push when left out. */
  readonly actions?: string;
}): (asked: Asked) => Fault | undefined {
  const pair = `${options.username}:${options.password}`;
  const basic = `Basic ${Buffer.from(pair).toString("base64")}`;
  const error = (code: string) => JSON.stringify({ errors: [{ code, message: "by the rules" }] });
  return ({ url, authorization }) => {
    if (url.startsWith("/token")) {
      if (authorization !== basic) return { status: 401, body: error("UNAUTHORIZED") };
      const scopes = new URL(url, "http://x").searchParams.getAll("scope");
      const pushes = scopes.some((scope) => scope.includes("push"));
      if (pushes && options.actions === "pull") return { status: 403, body: error("DENIED") };
      return { status: 200, body: JSON.stringify({ token: "the-token" }) };
    }
    if (authorization === "Bearer the-token") return undefined;
    return { status: 401, body: error("UNAUTHORIZED") };
  };
}

/** The header that sends a client to the token service of this host. */
export function challenge(host: string): Readonly<Record<string, string>> {
  return { "www-authenticate": `Bearer realm="http://${host}/token",service="test"` };
}
