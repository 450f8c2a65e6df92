import { createHash } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What a mirror does with one request; undefined where it just sends the file. */
export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  file: Buffer | undefined,
) => void;

/** A request that a mirror had. */
export interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server of files that misbehaves as it is told, a request at a time. */
export class Mirror implements AsyncDisposable {
  readonly url: string;
  readonly seen: Seen[] = [];
  readonly #files: Map<string, Buffer>;
  readonly #server: ReturnType<typeof createServer>;
  #behaviours: Behaviour[] = [];
  #always: Behaviour | undefined;

  private constructor(server: ReturnType<typeof createServer>, files: Map<string, Buffer>) {
    this.#server = server;
    this.#files = files;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** @param files by path, without the leading slash. */
  static async serve(files: Readonly<Record<string, Buffer>>): Promise<Mirror> {
    const server = createServer();
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const mirror = new Mirror(server, new Map(Object.entries(files)));
    server.on("request", (request, response) => mirror.#answer(request, response));
    return mirror;
  }

  /** Does these with the next requests, one each; then it behaves. */
  next(...behaviours: readonly Behaviour[]): void {
    this.#behaviours = [...behaviours];
  }

  /** Does this with every request. */
  always(behaviour: Behaviour | undefined): void {
    this.#always = behaviour;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "").replace(/^\//, "");
    this.seen.push({ path, headers: request.headers });
    const file = this.#files.get(path);
    const behaviour = this.#always ?? this.#behaviours.shift() ?? send;
    behaviour(request, response, file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}

/** The file, or the part of it that is asked for. */
export const send: Behaviour = (request, response, file) => {
  if (file === undefined) {
    response.writeHead(404).end("no such file");
    return;
  }
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (from === 0) {
    response.writeHead(200, { "content-length": file.length, etag: '"one"' }).end(file);
    return;
  }
  response.writeHead(206, {
    "content-length": file.length - from,
    "content-range": `bytes ${from}-${file.length - 1}/${file.length}`,
  });
  response.end(file.subarray(from));
};

/** An answer without a file. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Behaviour {
  return (_, response) => response.writeHead(code, headers).end("an answer without a file");
}

/** So many bytes of the file, then the connection is gone. */
export function resetAfter(bytes: number): Behaviour {
  return (_, response, file = Buffer.alloc(0)) => {
    const end = bytes < 0 ? file.length + bytes : bytes;
    response.writeHead(200, { "content-length": file.length, etag: '"one"' });
    response.write(file.subarray(0, end), () => response.socket?.destroy());
  };
}

/** The file with one bit of it flipped. */
export const flipped: Behaviour = (_, response, file = Buffer.alloc(0)) => {
  const copy = Buffer.from(file);
  const middle = Math.floor(copy.length / 2);
  copy[middle] = (copy[middle] ?? 0) ^ 1;
  response.writeHead(200, { "content-length": copy.length }).end(copy);
};

/** A shorter file, sent as if it were whole. */
export const truncated: Behaviour = (_, response, file = Buffer.alloc(0)) => {
  response.writeHead(200, { "content-length": file.length - 1 }).end(file.subarray(0, -1));
};

/** What a captive portal sends. */
export const loginPage: Behaviour = (_, response) => {
  const page = "<!DOCTYPE html><html><head><title>Sign in to Acme</title></head></html>";
  response.writeHead(200, { "content-type": "text/html" }).end(page);
};

export function redirectTo(url: string): Behaviour {
  return (_, response) => response.writeHead(302, { location: url }).end();
}

export function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
