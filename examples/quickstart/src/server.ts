import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createMetrics } from "./metrics.ts";
import { answer, internalError, routeOf, type Service } from "./routes.ts";
import type { Settings } from "./settings.ts";

// Longer than the 60 s after which most proxies drop an idle connection: the side that closes first
// must be the client's, or a request can meet a connection that is just being closed.
const KEEP_ALIVE_MS = 65_000;

// What may still run after the drain. The chart's grace period is longer than both together.
const CLOSE_DEADLINE_MS = 5_000;

/** A server that is listening. */
export interface RunningServer {
  readonly port: number;
  /** From now on: not ready, and every answer asks its client to connect anew, elsewhere. */
  startDraining(): void;
  /** Takes no more connections, lets running requests end; resolves to how many had to be cut. */
  close(deadlineMs?: number): Promise<number>;
}

/** Starts to listen; port 0 takes any free port. */
export async function startServer(
  settings: Settings,
  random: () => number = Math.random,
): Promise<RunningServer> {
  let draining = false;
  const running = new Set<ServerResponse>();
  const service: Service = {
    settings,
    metrics: createMetrics(settings.name, settings.version),
    startedAt: performance.now(),
    random,
    draining: () => draining,
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    running.add(response);
    response.once("close", () => running.delete(response));
    void handle(service, request, response);
  });
  server.listen(settings.port);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    startDraining: () => {
      draining = true;
    },
    close: async (deadlineMs = CLOSE_DEADLINE_MS) => {
      draining = true;
      return await close(server, running, deadlineMs);
    },
  };
}

async function handle(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const startedAt = performance.now();
  const method = request.method ?? "GET";
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  response.once("close", () => {
    service.metrics.observe({
      method,
      route: routeOf(path),
      // 499 is what nginx calls a request whose client left before the answer.
      status: response.writableFinished ? response.statusCode : 499,
      seconds: (performance.now() - startedAt) / 1000,
    });
  });
  const { status, contentType, body } = await answer(service, method, path).catch((error) => {
    console.error(`error: ${method} ${path}:`, error);
    return internalError();
  });
  response.statusCode = status;
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  if (status === 405) {
    response.setHeader("Allow", "GET, HEAD");
  }
  // Asked now and not on arrival: a slow answer may have started before the drain did.
  if (service.draining()) {
    response.setHeader("Connection", "close");
  }
  response.end(body);
}

async function close(
  server: Server,
  running: ReadonlySet<ServerResponse>,
  deadlineMs: number,
): Promise<number> {
  const closed = once(server, "close");
  server.close();
  const deadline = performance.now() + deadlineMs;
  while (running.size > 0 && performance.now() < deadline) {
    await sleep(10);
  }
  const cut = running.size;
  // Also for connections that never sent a request, which server.close() would wait a minute for.
  server.closeAllConnections();
  await closed;
  return cut;
}
