import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { keepAliveAgent, type Reply, startService } from "./service.ts";

describe("the drain", () => {
  it("turns /ready to 503, and serves everything else", async () => {
    await using service = await startService();
    service.server.startDraining();
    const ready = await service.request("/ready");
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.body)).toEqual({ status: "not ready", reason: "shutting down" });
    expect((await service.request("/")).status).toBe(200);
    expect((await service.request("/live")).status).toBe(200);
  });

  it("asks clients with an open connection to leave", async () => {
    await using service = await startService();
    const agent = keepAliveAgent();
    expect((await service.request("/", { agent })).headers.connection).toBe("keep-alive");
    service.server.startDraining();
    expect((await service.request("/", { agent })).headers.connection).toBe("close");
  });

  it("loses no request of a client that never pauses", async () => {
    await using service = await startService();
    const agent = keepAliveAgent();
    const replies: Reply[] = [];
    let routedHere = true;
    const client = (async () => {
      while (routedHere) {
        replies.push(await service.request("/", { agent }));
      }
    })();
    await sleep(50);
    service.server.startDraining();
    await sleep(100);
    // In a cluster, this is the moment when the last node has heard that the pod is leaving.
    routedHere = false;
    await client;
    expect(await service.server.close()).toBe(0);
    expect(replies.filter((reply) => reply.status !== 200)).toEqual([]);
    expect(replies.filter((reply) => reply.headers.connection === "close").length).toBeGreaterThan(
      1,
    );
  });
});

describe("the close", () => {
  it("waits for a slow answer that began before the drain", async () => {
    await using service = await startService({ FAULT_LATENCY_MS: "150" });
    const slow = service.request("/", { agent: keepAliveAgent() });
    await sleep(50);
    service.server.startDraining();
    expect(await service.server.close()).toBe(0);
    const reply = await slow;
    expect(reply.status).toBe(200);
    expect(reply.headers.connection).toBe("close");
  });

  it("cuts what runs past the deadline, and says how much that was", async () => {
    await using service = await startService({ FAULT_LATENCY_MS: "400" });
    const slow = service.request("/");
    const cut = expect(slow).rejects.toThrow("socket hang up");
    await sleep(50);
    expect(await service.server.close(50)).toBe(1);
    await cut;
  });

  it("does not wait for connections on which nothing was asked", async () => {
    await using service = await startService();
    const silent = connect(service.server.port, "127.0.0.1");
    await sleep(50);
    const startedAt = performance.now();
    expect(await service.server.close()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    silent.destroy();
  });
});
