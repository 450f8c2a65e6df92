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

const INFO = "/moby.buildkit.v1.Control/Info";
const UNIMPLEMENTED = "12";
const MOST_BYTES = 64 * 1024;

/**
 * Asks a BuildKit for its version by the call Info of its Control service. Takes a few
 * milliseconds, where `buildx inspect` takes a hundred.
 *
 * @returns undefined from one that is too old to know the call (before 0.11).
 * @throws what the socket, TLS or HTTP/2 say; an Error with gRPC's words when it refuses.
 */
export async function askVersion(
  target: Target,
  tls: TlsMaterial | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { connect } = await import("node:http2");
  const socket = await open(target, tls, signal);
  let session: ClientHttp2Session | undefined;
  try {
    session = connect(tls === undefined ? "http://buildkit" : "https://buildkit", {
      createConnection: () => socket,
    });
    const { headers, trailers, body } = await call(session, signal);
    const status = String(trailers["grpc-status"] ?? headers["grpc-status"] ?? "none");
    if (status === UNIMPLEMENTED) return undefined;
    if (Number(headers[":status"]) !== 200 || status !== "0")
      throw refused(headers, trailers, status);
    return versionIn(body.subarray(5));
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
    ":path": INFO,
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
 * The version in an InfoResponse: field 1 holds a BuildkitVersion, whose field 2 it is.
 * Source: moby/buildkit, api/services/control/control.proto and api/types/worker.proto.
 */
export function versionIn(message: Uint8Array): string | undefined {
  const info = fieldsOf(message).get(1);
  const version = info === undefined ? undefined : fieldsOf(info).get(2);
  return version === undefined || version.length === 0
    ? undefined
    : Buffer.from(version).toString("utf8");
}

/** The last value of each field that has a length (protobuf.dev, Encoding); others are passed by. */
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
      fields.set(field, message.subarray(at, at + length));
      at += length;
    } else return fields;
  }
  return fields;
}
