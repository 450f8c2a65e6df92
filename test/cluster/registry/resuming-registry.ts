import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { digestOf } from "./made-image.ts";

/**
 * Uploads as the OCI distribution specification has them ("Pushing a blob in chunks"), with all
 * that is kept of a broken one. The bed's registry forgets those; others, such as those of the
 * clouds, go on. It breaks lines off after as many bytes as a test says.
 */
export class ResumingRegistry implements AsyncDisposable {
  /** Bytes of bodies that arrived. */
  received = 0;
  readonly ranges: string[] = [];
  readonly blobs = new Map<string, Buffer>();
  readonly #breaks: number[];
  readonly #largest: number;
  readonly #server: Server;
  #begun = Buffer.alloc(0);

  private constructor(breaks: readonly number[], largest: number) {
    this.#breaks = [...breaks];
    this.#largest = largest;
    this.#server = createServer((incoming, answer) => {
      incoming.on("error", () => {});
      this.#handle(incoming, answer).catch(() => answer.destroy());
    });
  }

  /**
   * @param breaks after how many bytes of each request with a chunk its line breaks.
   * @param largest chunk that a proxy before it lets pass, in bytes.
   */
  static async start(
    breaks: readonly number[],
    largest = Number.POSITIVE_INFINITY,
  ): Promise<ResumingRegistry> {
    const started = new ResumingRegistry(breaks, largest);
    await once(started.#server.listen(0, "127.0.0.1"), "listening");
    return started;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method, url = "" } = incoming;
    const { pathname, searchParams } = new URL(url, "http://x");
    if (method === "HEAD") {
      const blob = this.blobs.get(pathname.slice(pathname.lastIndexOf("/") + 1));
      answer.writeHead(blob === undefined ? 404 : 200).end();
    } else if (method === "POST") {
      this.#begun = Buffer.alloc(0);
      answer.writeHead(202, { location: "/v2/x/blobs/uploads/1" }).end();
    } else if (method === "GET") {
      answer.writeHead(204, this.#state()).end();
    } else if (method === "PATCH") {
      await this.#take(incoming, answer);
    } else {
      await this.#append(incoming, Number.POSITIVE_INFINITY);
      const digest = searchParams.get("digest") ?? "";
      const right = digestOf(this.#begun) === digest;
      if (right) this.blobs.set(digest, this.#begun);
      const words = { errors: [{ code: "DIGEST_INVALID", message: "not its digest" }] };
      answer.writeHead(right ? 201 : 400).end(right ? undefined : JSON.stringify(words));
    }
  }

  async #take(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const range = incoming.headers["content-range"];
    this.ranges.push(range ?? "all");
    const from = Number(range?.split("-")[0] ?? 0);
    if (Number(incoming.headers["content-length"]) > this.#largest) {
      incoming.resume();
      answer.writeHead(413).end();
    } else if (from !== this.#begun.length) {
      incoming.resume();
      answer.writeHead(416, this.#state()).end();
    } else {
      const limit = this.#breaks.shift() ?? Number.POSITIVE_INFINITY;
      const whole = await this.#append(incoming, limit);
      if (whole) answer.writeHead(202, this.#state()).end();
      else incoming.socket.resetAndDestroy();
    }
  }

  /** Whether all came within the limit. */
  async #append(incoming: IncomingMessage, limit: number): Promise<boolean> {
    let left = limit;
    for await (const piece of incoming as AsyncIterable<Buffer>) {
      const taken = piece.subarray(0, left);
      left -= taken.length;
      this.received += taken.length;
      this.#begun = Buffer.concat([this.#begun, taken]);
      if (taken.length < piece.length) return false;
    }
    return true;
  }

  #state() {
    const last = Math.max(this.#begun.length - 1, 0);
    return { location: "/v2/x/blobs/uploads/1", range: `0-${last}` };
  }
}
