import {
  type Agent,
  createServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Server } from "node:net";

/** What goes wrong with one request. */
export type Fault =
  | "none"
  /** The connection breaks before the server heard of it. */
  | "reset-before"
  /** The server did it, and its answer is lost. */
  | "reset-after"
  | "slow-down"
  | "truncated-request"
  | "truncated-answer"
  | "flipped-request"
  | "flipped-answer"
  /** Nothing is ever said. */
  | "stall";

/** What is known of a request when its fault is chosen. */
export interface Passing {
  readonly method: string;
  readonly url: string;
  readonly count: number;
}

/** Stands before a server of plain HTTP, and does to its traffic what a bad network does. */
export class FaultyProxy implements AsyncDisposable {
  readonly origin: string;
  readonly passed: Passing[] = [];
  choose: (passing: Passing) => Fault = () => "none";
  readonly #server: Server;
  readonly #target: URL;

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(target: string): Promise<FaultyProxy> {
    const made: { proxy?: FaultyProxy } = {};
    const server = createServer((from, to) => void made.proxy?.pass(from, to));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    made.proxy = new FaultyProxy(server, new URL(target));
    return made.proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const server = this.#server as ReturnType<typeof createServer>;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  async pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
    const { method = "", url = "" } = from;
    const passing = { method, url, count: this.passed.length };
    this.passed.push(passing);
    const fault = this.choose(passing);
    to.on("error", () => {});
    from.on("error", () => {});
    if (fault === "stall") return;
    if (fault === "reset-before") return void from.socket.destroy();
    const body = await bodyOf(from).catch(() => undefined);
    if (body === undefined) return;
    if (fault === "slow-down") return slowDown(to);
    const isCut = fault === "truncated-request" && body.length > 0;
    if (fault === "flipped-request") flip(body);
    const options = { method, path: url, headers: from.headers, agent: false as unknown as Agent };
    const sent = request(this.#target, options, (answer) => void this.#answer(answer, to, fault));
    sent.on("error", () => to.destroy());
    if (!isCut) return void sent.end(body);
    sent.write(body.subarray(0, body.length >> 1), () => {
      sent.destroy();
      from.socket.destroy();
    });
  }

  async #answer(answer: IncomingMessage, to: ServerResponse, fault: Fault): Promise<void> {
    const body = await bodyOf(answer).catch(() => undefined);
    if (fault === "reset-after" || body === undefined) return void to.destroy();
    if (fault === "flipped-answer") flip(body);
    to.writeHead(answer.statusCode ?? 502, answer.headers);
    if (fault !== "truncated-answer" || body.length === 0) return void to.end(body);
    to.write(body.subarray(0, body.length >> 1), () => to.destroy());
  }
}

function slowDown(to: ServerResponse): void {
  to.writeHead(503, { "content-type": "application/xml" });
  to.end("<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
}

function flip(body: Buffer): void {
  const at = body.length >> 1;
  if (body.length > 0) body[at] = (body[at] ?? 0) ^ 0x10;
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
