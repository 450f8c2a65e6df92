import { createServer, type Server, type Socket } from "node:net";
import { WebSocket } from "undici";
import { describe, UserError } from "../failure/index.ts";
import { ApiError } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";

export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

export interface PortForward {
  readonly host: string;
  readonly port: number;
  /** What went wrong on the way to the pod most recently, in the kubelet's own words. */
  lastError(): string | undefined;
  /** Ends the listener and every connection. */
  close(): Promise<void>;
}

const SUBPROTOCOL = "v4.channel.k8s.io";
/** Channels of the first port: data both ways, and errors from the kubelet. */
const DATA = 0;
const ERROR = 1;
/** Bytes on their way to the API server above which the client is made to wait. */
const HIGH_WATER = 1024 * 1024;
/** How long a client that has said all it will may still wait for the rest of its answer. */
const HALF_OPEN_MS = 30_000;
const OPENING_MS = 15_000;

/**
 * Listens on a free port of 127.0.0.1 and carries every connection through the API server to a
 * pod's port, each over a WebSocket of its own. Before it returns, the API server has agreed once
 * to forward; whether the pod listens on the port, the first connection tells.
 *
 * @throws {ApiError} when the API server refuses (permission, no such pod), {UserError} otherwise.
 */
export async function openPortForward(
  cluster: Cluster,
  target: PodPort,
  signal: AbortSignal,
): Promise<PortForward> {
  signal.throwIfAborted();
  const tunnels = new Set<Tunnel>();
  let lastError: string | undefined;
  const note = (words: string) => {
    lastError = words;
  };
  await proveAllowed(cluster.boundTo(signal), target);

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const tunnel = carry(socket, openTunnel(cluster, target, signal), note);
    tunnels.add(tunnel);
    socket.on("close", () => tunnels.delete(tunnel));
  });
  const close = async () => {
    signal.removeEventListener("abort", onAbort);
    for (const tunnel of tunnels) tunnel.end();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const onAbort = () => void close();
  signal.addEventListener("abort", onAbort, { once: true });
  const port = await listen(server);
  return { host: "127.0.0.1", port, lastError: () => lastError, close };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port to listen on");
  return address.port;
}

interface Tunnel {
  end(): void;
}

/** Joins a client's socket and a tunnel until either ends. */
function carry(socket: Socket, opened: Promise<WebSocket>, note: (words: string) => void): Tunnel {
  let tunnel: WebSocket | undefined;
  const end = () => {
    tunnel?.close();
    socket.destroy();
  };
  socket.pause();
  socket.on("error", end).on("close", end);
  // The protocol cannot pass on that a client has said all it will: it may still be listening.
  socket.on("end", () => setTimeout(end, HALF_OPEN_MS).unref());
  opened.then(
    (webSocket) => {
      tunnel = webSocket;
      if (socket.destroyed) return webSocket.close();
      webSocket.addEventListener("close", () => socket.end());
      webSocket.addEventListener("error", ({ error }) => note(describe(error)));
      receive(webSocket, socket, note);
      send(socket, webSocket);
    },
    (error: unknown) => {
      note(error instanceof UserError ? error.cause : describe(error));
      socket.destroy();
    },
  );
  return { end };
}

/**
 * A message is one byte for the channel, then data. The first message of each channel holds the
 * port's number in two bytes and nothing else.
 *
 * Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
 */
function receive(webSocket: WebSocket, socket: Socket, note: (words: string) => void): void {
  const begun = new Set<number>();
  webSocket.addEventListener("message", ({ data }) => {
    if (!(data instanceof ArrayBuffer)) return;
    const message = Buffer.from(data);
    const channel = message[0] ?? -1;
    const first = !begun.has(channel);
    begun.add(channel);
    const payload = message.subarray(first ? 3 : 1);
    if (payload.length === 0) return;
    if (channel === DATA) socket.write(payload);
    if (channel === ERROR) {
      note(payload.toString().trim());
      socket.end();
    }
  });
}

function send(socket: Socket, webSocket: WebSocket): void {
  socket.on("data", (data: Buffer) => {
    if (webSocket.readyState !== WebSocket.OPEN) return;
    webSocket.send(Buffer.concat([Buffer.from([DATA]), data]));
    if (webSocket.bufferedAmount > HIGH_WATER) waitForRoom(socket, webSocket);
  });
  socket.resume();
}

/** WebSockets tell no one when their buffer empties. */
function waitForRoom(socket: Socket, webSocket: WebSocket): void {
  socket.pause();
  const timer = setInterval(() => {
    if (webSocket.readyState === WebSocket.OPEN && webSocket.bufferedAmount > HIGH_WATER) return;
    clearInterval(timer);
    socket.resume();
  }, 10);
}

async function openTunnel(
  cluster: Cluster,
  target: PodPort,
  signal: AbortSignal,
): Promise<WebSocket> {
  const { headers, dispatcher } = await cluster.access();
  const { namespace, pod, port } = target;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward?ports=${port}`;
  const address = `${cluster.server}${path}`.replace(/^http/, "ws");
  const webSocket = new WebSocket(address, { protocols: [SUBPROTOCOL], dispatcher, headers });
  webSocket.binaryType = "arraybuffer";
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(OPENING_MS)]);
  try {
    await opening(webSocket, bounded);
    return webSocket;
  } catch (error) {
    signal.throwIfAborted();
    throw await whyNot(cluster, target, error);
  }
}

function opening(webSocket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      webSocket.close();
      reject(signal.reason);
    };
    const done = () => signal.removeEventListener("abort", onAbort);
    signal.addEventListener("abort", onAbort, { once: true });
    webSocket.addEventListener("open", () => {
      done();
      resolve();
    });
    webSocket.addEventListener("error", ({ error }) => {
      done();
      reject(error);
    });
    webSocket.addEventListener("close", () => {
      done();
      reject(new Error("the connection closed before it was open"));
    });
  });
}

/** A refused WebSocket tells no reason; the same request without the upgrade tells it. */
async function whyNot(cluster: Cluster, target: PodPort, error: unknown): Promise<UserError> {
  try {
    await proveAllowed(cluster, target);
  } catch (reason) {
    if (reason instanceof UserError) return reason;
  }
  return new UserError(
    {
      title: `No port-forward to pod ${target.pod}`,
      cause: `The API server did not forward port ${target.port} of pod ${target.pod} in namespace ${target.namespace}: ${describe(error)}.`,
      remedy:
        "A proxy between the runner and the API server may not pass WebSockets on, or the node " +
        "of the pod cannot be reached from the API server.",
    },
    { reason: error },
  );
}

/**
 * Asks for the port-forward without the upgrade that makes it one. Who may forward is told that
 * the upgrade is missing (400); who may not is told why.
 */
async function proveAllowed(cluster: Cluster, target: PodPort): Promise<void> {
  try {
    await cluster.askPortForward(target);
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 400)) throw error;
  }
}
