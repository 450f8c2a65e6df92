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

/** An answer in place of the registry's; a path to ask the registry for instead; or a broken line. */
export type Fault =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly path: string }
  | "reset";

/** Tells what to do with a request, given those before it; undefined passes it on. */
export type Rule = (asked: Asked, before: readonly Asked[]) => Fault | undefined;

/** A server before the real registry that misbehaves as a test says. */
export class FaultRegistry implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #registry: string;
  readonly #fault: Rule;

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
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #handle(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method = "", url = "", headers } = incoming;
    const ours = !/buildkit|containerd/i.test(headers["user-agent"] ?? "");
    const asked = { method, url, authorization: headers.authorization, ours };
    const fault = this.#fault(asked, [...this.asked]);
    this.asked.push(asked);
    if (fault === "reset") {
      incoming.socket.resetAndDestroy();
    } else if (fault !== undefined && "status" in fault) {
      incoming.resume();
      answer.writeHead(fault.status, fault.headers).end(method === "HEAD" ? undefined : fault.body);
    } else {
      this.#pass(incoming, answer, fault?.path ?? url);
    }
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse, path: string): void {
    const [host, port] = this.#registry.split(":");
    const { method, headers } = incoming;
    // The host of the request stays, so that the registry's own links lead back here.
    const { authorization: _, ...rest } = headers;
    const sent = request({ host, port, method, path, headers: rest }, (received) => {
      answer.writeHead(received.statusCode ?? 502, received.headers);
      received.pipe(answer);
    });
    sent.on("error", () => answer.destroy());
    incoming.pipe(sent);
  }
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
