import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { decodeHealthResponse, encodeHealthRequest } from "./health-message.ts";
import type { Reply, Way } from "./probe.ts";
import { type Address, addressText, connectTo } from "./tcp.ts";
import { quote, type Redact } from "./text.ts";
import type { TlsOptions } from "./trust.ts";
import { explain, Unanswered } from "./unanswered.ts";

/** A service to ask for its health. */
export interface GrpcQuestion {
  readonly address: Address;
  readonly tls?: TlsOptions | undefined;
  /** As the server calls it; the empty name stands for the server as a whole. */
  readonly service: string;
  /** Sent along, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

const PATH = "/grpc.health.v1.Health/Check";
const LONGEST_ANSWER = 64 * 1024;
/** One byte for compression, four for the length (grpc/grpc, doc/PROTOCOL-HTTP2.md). */
const PREFIX_LENGTH = 5;

/** The codes of grpc/grpc, doc/statuscodes.md. */
const CODES = [
  ...["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"],
  ...["ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION"],
  ...["ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"],
  "UNAUTHENTICATED",
];

/**
 * Asks a gRPC server for the health of a service by grpc.health.v1.Health/Check.
 *
 * @throws {Unanswered} when no whole answer came in time, or what answers speaks no gRPC.
 */
export async function askGrpc(
  question: GrpcQuestion,
  { via }: Way,
  { timeout, signal, redact }: { timeout: number; signal: AbortSignal; redact: Redact },
): Promise<Reply> {
  const { address, tls } = question;
  const began = performance.now();
  const name = addressText(address);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  const socket = connectTo(via ?? address, address.host, tls, ["h2"]);
  socket.on("error", () => {});
  let session: ClientHttp2Session | undefined;
  try {
    await opened(socket, tls !== undefined, limit);
    session = await openSession(socket, question);
    const answer = await call(session, question, timeout, limit);
    return { ...judge(answer, question.service, redact), milliseconds: performance.now() - began };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw late(name, timeout);
    throw worded(error, name);
  } finally {
    session?.destroy();
    socket.destroy();
  }
}

function late(name: string, timeout: number): Unanswered {
  const message = `${name} gave no answer within ${timeout / 1_000} s`;
  return new Unanswered(message, { trouble: "timeout", patience: Infinity });
}

/** Words for what node:http2 throws. */
function worded(error: unknown, name: string): Unanswered {
  const code = (error as { code?: unknown }).code;
  const speaksOther =
    typeof code === "string" && /^ERR_HTTP2_(ERROR|SESSION_ERROR|STREAM_ERROR)$/.test(code);
  if (!speaksOther) return explain(error, name);
  const message = `${name} does not answer in proper HTTP/2: ${(error as Error).message}`;
  return new Unanswered(message, { trouble: "not-http", patience: Infinity, reason: error });
}

async function opened(socket: Socket, secure: boolean, limit: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(limit.reason);
  limit.addEventListener("abort", onAbort, { once: true });
  socket.once("error", reject).once(secure ? "secureConnect" : "connect", () => resolve());
  try {
    await promise;
  } finally {
    limit.removeEventListener("abort", onAbort);
  }
  if (!secure || (socket as TLSSocket).alpnProtocol === "h2") return;
  throw new Unanswered("the server speaks TLS, but no HTTP/2 over it (ALPN), which gRPC needs", {
    trouble: "not-http",
    patience: Infinity,
  });
}

async function openSession(
  socket: Socket,
  { address, tls }: GrpcQuestion,
): Promise<ClientHttp2Session> {
  const { connect } = await import("node:http2");
  const authority = `${tls === undefined ? "http" : "https"}://${addressText(address)}`;
  return connect(authority, { createConnection: () => socket });
}

/** What came back of a call. */
interface Called {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function call(
  session: ClientHttp2Session,
  { service, metadata }: GrpcQuestion,
  timeout: number,
  limit: AbortSignal,
): Promise<Called> {
  const message = encodeHealthRequest(service);
  const prefix = Buffer.alloc(PREFIX_LENGTH);
  prefix.writeUInt32BE(message.length, 1);
  const { promise, resolve, reject } = Promise.withResolvers<Called>();
  const onAbort = () => reject(limit.reason);
  limit.addEventListener("abort", onAbort, { once: true });
  session.once("error", reject);
  session.once("close", () => reject(closed()));
  const stream = session.request({
    ":method": "POST",
    ":path": PATH,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "seaworthy",
    "grpc-timeout": `${Math.min(timeout, 99_999_999)}m`,
    ...metadata,
  });
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.once("error", reject).once("response", (given) => {
    headers = given;
  });
  stream.once("trailers", (given) => {
    trailers = given;
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= LONGEST_ANSWER) chunks.push(chunk);
    else stream.close();
  });
  stream.once("close", () => {
    if (headers[":status"] === undefined) return reject(closed());
    return resolve({ headers, trailers, body: Buffer.concat(chunks) });
  });
  stream.end(Buffer.concat([prefix, message]));
  try {
    return await promise;
  } finally {
    limit.removeEventListener("abort", onAbort);
  }
}

function closed(): Error {
  return Object.assign(new Error("it closed the connection before an answer"), {
    code: "ECONNRESET",
  });
}

type Judged = Pick<Reply, "brief" | "reasons" | "text" | "status">;

/** What an answer says of the service's health. */
function judge({ headers, trailers, body }: Called, service: string, redact: Redact): Judged {
  const status = Number(headers[":status"]) || undefined;
  const type = String(headers["content-type"] ?? "");
  if (status !== 200 || !type.startsWith("application/grpc")) {
    const what = `the answer is no gRPC: HTTP status ${status ?? "none"}, ${type || "no content type"}`;
    return { brief: `HTTP ${status ?? "?"}`, status, reasons: [what], text: body.toString() };
  }
  // A call that failed at once has its status in the headers.
  const code = Number(trailers["grpc-status"] ?? headers["grpc-status"] ?? Number.NaN);
  if (code !== 0) {
    const words = trailers["grpc-message"] ?? headers["grpc-message"];
    return refusal(code, decoded(String(words ?? "")), service, redact);
  }
  const state = stateIn(body);
  const reasons = state === "SERVING" ? [] : [`${nameOf(service)} is ${state}, expected SERVING`];
  return { brief: state, reasons, text: "" };
}

function refusal(code: number, words: string, service: string, redact: Redact): Judged {
  const name = CODES[code] ?? (Number.isNaN(code) ? "no status" : `code ${code}`);
  const said = words === "" ? "" : `: ${quote(words, redact)}`;
  const known: Readonly<Record<string, string>> = {
    UNIMPLEMENTED: `the server has no health service (grpc.health.v1.Health): UNIMPLEMENTED${said}`,
    NOT_FOUND: `the server does not know ${nameOf(service)}: NOT_FOUND${said}`,
  };
  const reason = known[name] ?? `the call ended with ${name}${said}`;
  return { brief: name, reasons: [reason], text: words };
}

function stateIn(body: Buffer): string {
  try {
    const length = body.readUInt32BE(1);
    if (body[0] !== 0) throw new Error("it is compressed though nobody asked");
    return decodeHealthResponse(body.subarray(PREFIX_LENGTH, PREFIX_LENGTH + length));
  } catch (error) {
    return `something that cannot be read (${(error as Error).message})`;
  }
}

function nameOf(service: string): string {
  return service === "" ? "the server" : `the service ${JSON.stringify(service)}`;
}

/** Messages are percent-encoded UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
