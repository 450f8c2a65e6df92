import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2Server,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttpsServer, type ServerOptions } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from "node:net";
import { makeAuthority, type Pair } from "./certificates.ts";

/** A server on a free port of the loopback. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

export function serveHttp(listener: RequestListener): Promise<Listening> {
  return listen(createHttpServer(listener), "http");
}

/** HTTPS with a certificate that nobody has signed but itself. */
export function serveSelfSigned(listener: RequestListener): Promise<Listening> {
  return listen(createHttpsServer(makeAuthority(), listener), "https");
}

/** HTTPS with a certificate of one's choice. */
export function serveHttps(options: ServerOptions, listener: RequestListener): Promise<Listening> {
  return listen(createHttpsServer(options, listener), "https");
}

/** Anything that speaks TCP. */
export function serveTcp(onSocket: (socket: Socket) => void): Promise<Listening> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {});
    onSocket(socket);
  });
  return listen(server, "tcp");
}

/** What a gRPC server does with a call, given the message that it was sent. */
export type Call = (stream: ServerHttp2Stream, message: Buffer) => void;

/** A gRPC server, over TLS where there is a certificate. */
export function serveGrpc(call: Call, pair?: Pair): Promise<Listening> {
  const server = pair === undefined ? createHttp2Server() : createSecureServer(pair);
  server.on("stream", (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on("error", () => {}).on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => call(stream, Buffer.concat(chunks).subarray(5)));
  });
  server.on("session", (session) => session.on("error", () => {}));
  return listen(server as Http2Server, pair === undefined ? "grpc" : "grpcs");
}

/** Answers a health check with a state: 1 is SERVING, 2 NOT_SERVING. */
export function answerHealth(stream: ServerHttp2Stream, state: number): void {
  const head = { ":status": 200, "content-type": "application/grpc" };
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, state]));
}

/** Says `words` to everyone who connects, then hangs up. */
export function serveWords(words: string): Promise<Listening> {
  return listen(
    createTcpServer(
      (socket) =>
        void socket
          .resume()
          .on("error", () => {})
          .end(words),
    ),
    "http",
  );
}

async function listen(
  server: Server | TcpServer | Http2Server,
  scheme: string,
): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
