import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands before a registry and counts the bytes of layers and configurations sent to it. */
export class UploadMeter implements AsyncDisposable {
  readonly #server = createServer((incoming, answer) => this.#pass(incoming, answer));
  readonly #registry: string;
  #bytes = 0;

  private constructor(registry: string) {
    this.#registry = registry;
  }

  static async start(registry: string): Promise<UploadMeter> {
    const meter = new UploadMeter(registry);
    await once(meter.#server.listen(0, "127.0.0.1"), "listening");
    return meter;
  }

  /** Host and port, as a registry's name begins. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Bytes sent into uploads of blobs so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const [host, port] = this.#registry.split(":");
    const { method, url = "", headers } = incoming;
    const passed = request({ host, port, method, path: url, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    if (/\/blobs\/uploads\//.test(url)) {
      incoming.on("data", (chunk: Buffer) => {
        this.#bytes += chunk.length;
      });
    }
    incoming.pipe(passed);
  }
}
