import { once } from "node:events";
import { Agent, get, type IncomingHttpHeaders, type RequestOptions } from "node:http";
import { text } from "node:stream/consumers";
import { type RunningServer, startServer } from "../../../examples/quickstart/src/server.ts";
import { readSettings } from "../../../examples/quickstart/src/settings.ts";

/** What the service answered. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The quickstart's service on a port of its own; closed at the end of an `await using` block. */
export interface TestService extends AsyncDisposable {
  readonly server: RunningServer;
  request(path: string, options?: RequestOptions): Promise<Reply>;
}

/** Starts the real service with these environment variables. */
export async function startService(
  environment: Record<string, string> = {},
  random?: () => number,
): Promise<TestService> {
  const server = await startServer(readSettings({ ...environment, PORT: "0" }), random);
  return {
    server,
    request: (path, options) => request(server.port, path, options),
    [Symbol.asyncDispose]: async () => {
      await server.close(0);
    },
  };
}

/** A client that keeps its connections open, as browsers, proxies and most libraries do. */
export function keepAliveAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

async function request(port: number, path: string, options: RequestOptions = {}): Promise<Reply> {
  const sent = get({ host: "127.0.0.1", port, path, ...options });
  const [response] = await once(sent, "response");
  return {
    status: response.statusCode,
    headers: response.headers,
    body: await text(response),
  };
}
