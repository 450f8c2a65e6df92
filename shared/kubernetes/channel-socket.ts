import { createHash, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { upgrade } from "undici";
import { describe, UserError } from "../failure/index.ts";
import { ApiError, type Asked } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";
import { FrameReader, frameOf, OPCODE } from "./web-socket-frames.ts";

/** A connection to a pod that the API server is asked for. */
export interface Connecting {
  /** From the server's root, with its query, encoded. */
  readonly path: string;
  /** Versions of the channel protocol, the best first. */
  readonly protocols: readonly string[];
  readonly asked: Asked;
  /** What it is for, to complete "The API server did not ...". */
  readonly purpose: string;
}

/** What one who reads a connection is told. */
export interface Listener {
  /** A message on a channel. */
  message(channel: number, payload: Buffer): void;
  /** The connection is over; why, where it was not closed as it should be. */
  closed(error: Error | undefined): void;
}

/** What the API server misses in a request that it would otherwise grant. */
const UPGRADE = /upgrade/i;
const OPENING_MS = 15_000;
/** RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** A client's close: 1000, normal closure (RFC 6455, section 7.4.1). */
const NORMAL_CLOSURE = Buffer.from([0x03, 0xe8]);

/**
 * A connection through the API server to a pod: messages on numbered channels over a WebSocket.
 * Who reads slowly pauses it, and the far end waits; who writes fast is told to wait.
 *
 * Source: k8s.io/apimachinery/pkg/util/remotecommand/constants.go.
 */
export class ChannelSocket {
  /** Which of the versions that were asked for is spoken. */
  readonly protocol: string;
  readonly #socket: Duplex;
  #error: Error | undefined;

  constructor(socket: Duplex, protocol: string, listener: Listener) {
    this.#socket = socket;
    this.protocol = protocol;
    const frames = new FrameReader();
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const { opcode, payload } of frames.push(chunk)) this.#take(opcode, payload, listener);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error) => {
      this.#error = error;
    });
    socket.on("end", () => socket.end());
    socket.once("close", () => listener.closed(this.#error));
  }

  #take(opcode: number, payload: Buffer, listener: Listener): void {
    if (opcode === OPCODE.ping) this.#socket.write(frameOf(OPCODE.pong, payload));
    if (opcode === OPCODE.close) this.close();
    if (opcode !== OPCODE.binary && opcode !== OPCODE.text) return;
    const [channel] = payload;
    if (channel !== undefined) listener.message(channel, payload.subarray(1));
  }

  /** Sends data on a channel; false when no more should be sent before `drained`. */
  send(channel: number, data: Buffer): boolean {
    if (this.#socket.writableEnded || this.#socket.destroyed) return true;
    return this.#socket.write(
      frameOf(OPCODE.binary, Buffer.concat([Buffer.from([channel]), data])),
    );
  }

  /** Calls back whenever what was sent has left. */
  drained(callback: () => void): void {
    this.#socket.on("drain", callback);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Shows everybody on the way that the connection is still in use. */
  ping(): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return;
    this.#socket.write(frameOf(OPCODE.ping, Buffer.alloc(0)));
  }

  /** Says good-bye and hangs up. */
  close(): void {
    const socket = this.#socket;
    if (socket.writableEnded || socket.destroyed) return;
    socket.end(frameOf(OPCODE.close, NORMAL_CLOSURE), () => socket.destroy());
  }
}

/**
 * Opens a connection.
 *
 * @throws {ApiError} when the API server refuses (permission, no such pod), {UserError} otherwise.
 */
export async function openChannels(
  cluster: Cluster,
  connecting: Connecting,
  listener: Listener,
  signal: AbortSignal,
): Promise<ChannelSocket> {
  signal.throwIfAborted();
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(OPENING_MS)]);
  try {
    const { socket, protocol } = await handshake(cluster, connecting, bounded);
    return new ChannelSocket(socket, protocol, listener);
  } catch (error) {
    signal.throwIfAborted();
    throw await whyNot(cluster.boundTo(signal), connecting, error);
  }
}

/** The opening handshake of RFC 6455, section 4. */
async function handshake(
  cluster: Cluster,
  { path, protocols }: Connecting,
  signal: AbortSignal,
): Promise<{ readonly socket: Duplex; readonly protocol: string }> {
  const { headers, dispatcher } = await cluster.access();
  const key = randomBytes(16).toString("base64");
  const answer = await upgrade(`${cluster.server}${path}`, {
    method: "GET",
    protocol: "websocket",
    headers: {
      ...headers,
      "sec-websocket-key": key,
      "sec-websocket-version": "13",
      "sec-websocket-protocol": protocols.join(", "),
    },
    dispatcher,
    signal,
  });
  const { socket } = answer;
  // Until somebody listens, an error would end the process.
  socket.on("error", () => {});
  const accept = createHash("sha1").update(`${key}${ACCEPT_SUFFIX}`).digest("base64");
  const chosen = String(answer.headers["sec-websocket-protocol"] ?? "");
  if (answer.headers["sec-websocket-accept"] === accept && protocols.includes(chosen)) {
    return { socket, protocol: chosen };
  }
  socket.destroy();
  throw new Error(
    `what answered speaks ${chosen || "no channel protocol"} where ${protocols[0]} was asked for`,
  );
}

/** A refused upgrade tells no reason; the same request without the upgrade tells it. */
async function whyNot(
  cluster: Cluster,
  connecting: Connecting,
  error: unknown,
): Promise<UserError> {
  try {
    await proveAllowed(cluster, connecting);
  } catch (reason) {
    if (reason instanceof UserError) return reason;
  }
  const { asked, purpose } = connecting;
  return new UserError(
    {
      title: `No ${asked.resource.replace(/^pods\//, "")} to pod ${asked.name}`,
      cause: `The API server did not ${purpose} of pod ${asked.name} in namespace ${asked.namespace}: ${describe(error)}.`,
      remedy:
        "A proxy between the runner and the API server may not pass WebSockets on, or the node " +
        "of the pod cannot be reached from the API server.",
    },
    { reason: error },
  );
}

/**
 * Asks for a connection without the upgrade that makes it one. Who may have it is told that the
 * upgrade is missing (400); who may not is told why.
 *
 * @throws {UserError}
 */
export async function proveAllowed(
  cluster: Cluster,
  { path, asked }: Pick<Connecting, "path" | "asked">,
): Promise<void> {
  try {
    await cluster.askConnection(path, asked);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 400 && UPGRADE.test(error.apiMessage))) {
      throw error;
    }
  }
}
