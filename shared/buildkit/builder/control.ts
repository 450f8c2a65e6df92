import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** How to prove ourselves to a BuildKit behind TLS; texts in PEM. */
export interface TlsMaterial {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The name in its certificate, where that is not the address's host. */
  readonly servername?: string | undefined;
}

/** Where a BuildKit listens, in node's words. */
export type Target = { readonly path: string } | { readonly host: string; readonly port: number };

const LIST_WORKERS = "/moby.buildkit.v1.Control/ListWorkers";
const MOST_BYTES = 64 * 1024;

/** What a BuildKit says of itself. */
export interface Worker {
  /** Such as `v0.32.2`; undefined from one that is too old to say (before 0.11). */
  readonly version: string | undefined;
  /** What it builds for when it is not told, such as `linux/amd64`. */
  readonly platform: string | undefined;
}

/**
 * Asks a BuildKit for its version and platform by the call ListWorkers of its Control service.
 * Takes a few milliseconds, where `buildx inspect` takes a hundred.
 *
 * @throws what the socket, TLS or HTTP/2 say; an Error with gRPC's words when it refuses.
 */
export async function askWorker(
  target: Target,
  tls: TlsMaterial | undefined,
  signal: AbortSignal,
): Promise<Worker> {
  const { connect } = await import("node:http2");
  const socket = await open(target, tls, signal);
  let session: ClientHttp2Session | undefined;
  try {
    session = connect(tls === undefined ? "http://buildkit" : "https://buildkit", {
      createConnection: () => socket,
    });
    const { headers, trailers, body } = await call(session, signal);
    const status = String(trailers["grpc-status"] ?? headers["grpc-status"] ?? "none");
    if (Number(headers[":status"]) !== 200 || status !== "0") {
      throw refused(headers, trailers, status);
    }
    return workerIn(body.subarray(5));
  } finally {
    session?.destroy();
    socket.destroy();
  }
}

async function open(
  target: Target,
  tls: TlsMaterial | undefined,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const servername = tls?.servername ?? ("host" in target ? target.host : undefined);
  const socket =
    tls === undefined
      ? connectTcp(target)
      : connectTls({
          ...target,
          ...withoutUndefined({ ca: tls.ca, cert: tls.cert, key: tls.key }),
          ...(servername === undefined || /^[\d.:]+$/.test(servername) ? {} : { servername }),
          ALPNProtocols: ["h2"],
        });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  socket.on("error", reject).once("close", () => reject(hungUp()));
  socket.once(tls === undefined ? "connect" : "secureConnect", () => resolve());
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function withoutUndefined(values: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function call(session: ClientHttp2Session, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  session.once("error", reject).once("close", () => reject(hungUp()));
  const stream = session.request({
    ":method": "POST",
    ":path": LIST_WORKERS,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "seaworthy",
  });
  let headers: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.once("error", reject);
  stream.once("response", (given) => {
    headers = given;
  });
  stream.once("trailers", (given) => {
    trailers = given;
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MOST_BYTES) chunks.push(chunk);
    else stream.close();
  });
  stream.once("close", () =>
    headers === undefined
      ? reject(hungUp())
      : resolve({ headers, trailers, body: Buffer.concat(chunks) }),
  );
  // An empty message: not compressed, of no bytes (grpc/grpc, doc/PROTOCOL-HTTP2.md).
  stream.end(Buffer.alloc(5));
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function hungUp(): Error {
  return new Error("it hung up before it answered");
}

function refused(
  headers: IncomingHttpHeaders,
  trailers: IncomingHttpHeaders,
  status: string,
): Error {
  const words = String(trailers["grpc-message"] ?? headers["grpc-message"] ?? "");
  const said = words === "" ? "" : `: ${words}`;
  return new Error(`it answered with HTTP ${headers[":status"]} and gRPC status ${status}${said}`);
}

/**
 * The first worker in a ListWorkersResponse: field 1 holds a WorkerRecord, whose fields are 3,
 * platforms (1 architecture, 2 OS, 3 variant), its own first, and 5, BuildkitVersion (2 version).
 * Source: moby/buildkit, api/types/worker.proto and solver/pb/ops.proto.
 */
export function workerIn(message: Uint8Array): Worker {
  const worker = fieldsOf(fieldsOf(message).get(1) ?? NOTHING);
  const platform = fieldsOf(worker.get(3) ?? NOTHING);
  const version = textOf(fieldsOf(worker.get(5) ?? NOTHING).get(2));
  const words = [2, 1, 3].map((field) => textOf(platform.get(field)));
  return { version, platform: words.filter((word) => word !== undefined).join("/") || undefined };
}

const NOTHING = new Uint8Array();

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined || bytes.length === 0
    ? undefined
    : Buffer.from(bytes).toString("utf8");
}

/** The first value of each field that has a length (protobuf.dev, Encoding); others are passed by. */
function fieldsOf(message: Uint8Array): Map<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    return value;
  };
  while (at < message.length) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (!fields.has(field)) fields.set(field, message.subarray(at, at + length));
      at += length;
    } else return fields;
  }
  return fields;
}
