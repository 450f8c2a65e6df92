import { createServer, connect as dial, type Server, type Socket } from "node:net";

/** A way to a TCP server that can be shut and opened: what a network does to an API server. */
export interface Gate extends AsyncDisposable {
  readonly port: number;
  /** Cuts every connection and takes no new one. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

export async function gateTo(host: string, port: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  const connect = (client: Socket) => {
    const server = dial(port, host);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket
        .on("error", () => undefined)
        .on("close", () => {
          sockets.delete(socket);
          client.destroy();
          server.destroy();
        });
    }
    client.pipe(server).pipe(client);
  };
  let listener = await listen(connect, 0);
  const own = portOf(listener);
  const shut = async () => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port: own,
    shut,
    async open() {
      listener = await listen(connect, own);
    },
    [Symbol.asyncDispose]: shut,
  };
}

async function listen(connect: (client: Socket) => void, port: number): Promise<Server> {
  const server = createServer(connect);
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", resolve);
  });
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
