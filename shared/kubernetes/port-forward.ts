import { createServer, type Server, type Socket } from "node:net";
import { describe, UserError } from "../failure/index.ts";
import {
  type ChannelSocket,
  type Connecting,
  openChannels,
  proveAllowed,
} from "./channel-socket.ts";
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

/** Channels of the first port: data both ways, and errors from the kubelet. */
const DATA = 0;
const ERROR = 1;
/** How long a client that has said all it will may still wait for the rest of its answer. */
const HALF_OPEN_MS = 30_000;

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
  const connecting = connectingTo(target);
  await proveAllowed(cluster.boundTo(signal), connecting);

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const tunnel = carry(socket, { cluster, connecting, signal, note });
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

function connectingTo({ namespace, pod, port }: PodPort): Connecting {
  const place = `namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}`;
  return {
    path: `/api/v1/${place}/portforward?ports=${port}`,
    protocols: ["v4.channel.k8s.io"],
    asked: { verb: "get", resource: "pods/portforward", namespace, name: pod },
    purpose: `forward port ${port}`,
  };
}

interface Carrying {
  readonly cluster: Cluster;
  readonly connecting: Connecting;
  readonly signal: AbortSignal;
  readonly note: (words: string) => void;
}

/** Joins a client's socket and a tunnel until either ends; each waits where the other is slow. */
function carry(socket: Socket, { cluster, connecting, signal, note }: Carrying): Tunnel {
  let channels: ChannelSocket | undefined;
  let heard = false;
  const hear = (words: string) => {
    heard = true;
    note(words);
  };
  const end = () => {
    channels?.close();
    socket.destroy();
  };
  socket.pause();
  socket.on("error", end).on("close", end);
  // The protocol cannot pass on that a client has said all it will: it may still be listening.
  socket.on("end", () => setTimeout(end, HALF_OPEN_MS).unref());
  const listener = {
    message: received(socket, () => channels, hear),
    closed: (error: Error | undefined) => {
      // The pod's own words say more than the connection that broke after them.
      if (error !== undefined && !socket.destroyed && !heard) note(describe(error));
      socket.end();
    },
  };
  openChannels(cluster, connecting, listener, signal).then(
    (opened) => {
      channels = opened;
      if (socket.destroyed) return opened.close();
      socket.on("drain", () => opened.resume());
      opened.drained(() => socket.resume());
      socket.on("data", (data: Buffer) => {
        if (!opened.send(DATA, data)) socket.pause();
      });
      socket.resume();
    },
    (error: unknown) => {
      note(error instanceof UserError ? error.cause : describe(error));
      socket.destroy();
    },
  );
  return { end };
}

/**
 * The first message of each channel holds the port's number in two bytes and nothing else.
 *
 * Source: k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go.
 */
function received(
  socket: Socket,
  channels: () => ChannelSocket | undefined,
  note: (words: string) => void,
) {
  const begun = new Set<number>();
  return (channel: number, message: Buffer): void => {
    const payload = begun.has(channel) ? message : message.subarray(2);
    begun.add(channel);
    if (payload.length === 0) return;
    if (channel === DATA && !socket.write(payload)) channels()?.pause();
    if (channel === ERROR) {
      note(payload.toString().trim());
      socket.end();
    }
  };
}
