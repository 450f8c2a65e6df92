import { type AddressInfo, connect, type Socket } from "node:net";
import { createServer } from "node:tls";
import { makeAuthority, type Pair } from "../../bundle/smoke-test/certificates.ts";

/** A door before a BuildKit that lets in only who has a certificate of its authority. */
export interface TlsGate extends AsyncDisposable {
  readonly address: string;
  readonly ca: string;
  readonly client: Pair;
}

/** Opens the door before the BuildKit at a `unix://` address. */
export async function openTlsGate(buildkit: string): Promise<TlsGate> {
  const authority = makeAuthority();
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      ...authority.sign("IP:127.0.0.1"),
      ca: authority.cert,
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ["h2"],
    },
    (guest) => {
      const host = connect(new URL(buildkit).pathname);
      for (const socket of [guest, host]) {
        sockets.add(socket);
        socket.on("error", () => {}).on("close", () => sockets.delete(socket));
      }
      guest.pipe(host).pipe(guest);
    },
  );
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: authority.cert,
    client: authority.sign("DNS:client"),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
