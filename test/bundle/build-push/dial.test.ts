import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { dial } from "../../../shared/buildkit/builder/address.ts";

async function listening(server: Server): Promise<AsyncDisposable & { readonly address: string }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return {
    address: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

describe("whether anybody answers at the address of a BuildKit", () => {
  it("is so where HTTP/2 is spoken, as gRPC needs it", async () => {
    await using server = await listening(createHttp2Server());
    expect(await dial(server.address, 2_000)).toBeUndefined();
  });

  it("is so where whoever does not speak TLS is hung up on", async () => {
    await using server = await listening(
      createServer((socket) => socket.once("data", () => socket.end())),
    );
    expect(await dial(server.address, 2_000)).toBeUndefined();
  });

  it("is not so where connections are taken and nothing is said", async () => {
    await using server = await listening(createServer());
    const error = await dial(server.address, 300);
    expect(error?.message).toBe("it takes connections, and says nothing for 0.3 s");
  });

  it("is not so where nobody listens", async () => {
    const folder = mkdtempSync(join(tmpdir(), "dial-"));
    try {
      const error = await dial(`unix://${join(folder, "socket")}`, 300);
      expect(error?.message).toMatch(/ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
