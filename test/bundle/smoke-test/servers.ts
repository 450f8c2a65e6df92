import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server as TcpServer,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A server on a free port of the loopback. */
export interface Listening extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

export function serveHttp(listener: RequestListener): Promise<Listening> {
  return listen(createHttpServer(listener), "http");
}

/** HTTPS with a certificate that nobody has signed but itself. */
export function serveSelfSigned(listener: RequestListener): Promise<Listening> {
  return listen(createHttpsServer(selfSigned(), listener), "https");
}

/** Says `words` to everyone who connects, then hangs up. */
export function serveWords(words: string): Promise<Listening> {
  return listen(
    createTcpServer(
      (socket) =>
        void socket
          .resume()
          .on("error", () => {})
          .end(words),
    ),
    "http",
  );
}

async function listen(server: Server | TcpServer, scheme: string): Promise<Listening> {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  try {
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
        ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        ...["-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
