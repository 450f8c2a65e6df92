import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  openPortForward,
  parseTarget,
  type ReadyPod,
  readyPodOfService,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "./sandbox.ts";

const MEBIBYTE = 1024 * 1024;

let box: Sandbox;
let pod: ReadyPod;
beforeAll(async () => {
  box = await sandbox("port-forward");
  const { cluster, namespace } = box;
  const command = [
    "sh",
    "-c",
    "mkdir /www && truncate -s 100663296 /www/zeros && head -c 16777216 /dev/urandom > /www/big && sha256sum < /www/big > /www/sum && exec httpd -f -p 8080 -h /www",
  ];
  await cluster.apply(deployment(box, "files", { container: { command } }));
  await cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "files", namespace },
    spec: { selector: { app: "files" }, ports: [{ name: "web", port: 80, targetPort: "http" }] },
  });
  const targets = ["deployment/files", "service/files"].map((name) => parseTarget(name, namespace));
  const deadline = Date.now() + 30_000;
  await waitForRollout(cluster, targets, { deadline, world: testWorld().world });
  pod = await readyPodOnce();
}, 60_000);
afterAll(async () => box?.[Symbol.asyncDispose]());

/** EndpointSlices follow the pods a moment later. */
async function readyPodOnce(): Promise<ReadyPod> {
  const ref = { namespace: box.namespace, name: "files", port: "web" };
  for (;;) {
    const found = await readyPodOfService(box.cluster, ref).catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function opened() {
  const forward = await openPortForward(box.cluster, pod, new AbortController().signal);
  return {
    ...forward,
    url: (path: string) => `http://${forward.host}:${forward.port}${path}`,
    [Symbol.asyncDispose]: forward.close,
  };
}

describe("a port-forward", () => {
  it("leads from a Service's port to its pod's", () => {
    expect(pod).toMatchObject({ namespace: box.namespace, port: 8080 });
    expect(pod.pod).toMatch(/^files-/);
  });

  it("carries many bytes as they are", async () => {
    await using forward = await opened();
    const sum = (await (await fetch(forward.url("/sum"))).text()).split(" ")[0];
    const body = Buffer.from(await (await fetch(forward.url("/big"))).arrayBuffer());
    expect(body.length).toBe(16 * MEBIBYTE);
    expect(createHash("sha256").update(body).digest("hex")).toBe(sum);
  }, 30_000);

  it("makes the pod wait for a client that reads slowly", async () => {
    await using forward = await opened();
    const socket = connect({ port: forward.port, host: forward.host, noDelay: true });
    socket.write("GET /zeros HTTP/1.0\r\n\r\n");
    await new Promise((resolve) => socket.once("readable", resolve));
    // Nobody reads: what the pod sends must stay where it is, and not pile up here.
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * MEBIBYTE);
    let bytes = 0;
    for await (const chunk of socket) bytes += chunk.length;
    expect(bytes).toBeGreaterThan(96 * MEBIBYTE);
  }, 30_000);

  it("makes a client wait for a pod that reads slowly", async () => {
    await using forward = await opened();
    const socket = connect(forward.port, forward.host);
    // A web server of a shell reads the head of a request and leaves the body where it is.
    socket.write(`POST /sum HTTP/1.0\r\nContent-Length: ${64 * MEBIBYTE}\r\n\r\n`);
    socket.on("error", () => {});
    const before = process.memoryUsage().arrayBuffers;
    for (let sent = 0; sent < 64 && !socket.destroyed; sent += 1) {
      if (socket.write(Buffer.alloc(MEBIBYTE))) continue;
      const full = new Promise((resolve) => setTimeout(() => resolve("full"), 300));
      const drained = new Promise((resolve) => socket.once("drain", resolve));
      if ((await Promise.race([full, drained])) === "full") break;
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(24 * MEBIBYTE);
    socket.destroy();
  }, 30_000);

  it("carries many connections at once", async () => {
    await using forward = await opened();
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => (await fetch(forward.url("/sum"))).text()),
    );
    expect(new Set(answers).size).toBe(1);
  }, 30_000);

  it("survives a client that leaves in the middle", async () => {
    await using forward = await opened();
    const socket = connect(forward.port, forward.host);
    await new Promise((resolve) => {
      socket.write("GET /big HTTP/1.0\r\n\r\n");
      socket.once("data", resolve);
    });
    socket.destroy();
    expect((await fetch(forward.url("/sum"))).status).toBe(200);
  }, 30_000);

  it("tells of a port that nothing listens on, in the kubelet's words", async () => {
    const wrong = await openPortForward(
      box.cluster,
      { ...pod, port: 9 },
      new AbortController().signal,
    );
    // The connection may break before its last words are read: then the next one has them.
    for (let tries = 0; tries < 5 && !/refused/.test(wrong.lastError() ?? ""); tries += 1) {
      await expect(fetch(`http://127.0.0.1:${wrong.port}/`)).rejects.toThrow();
    }
    expect(wrong.lastError()).toContain("connection refused");
    await wrong.close();
  });

  it("says so at once when there is no such pod", async () => {
    const nothing = { ...pod, pod: "files-none" };
    await expect(
      openPortForward(box.cluster, nothing, new AbortController().signal),
    ).rejects.toMatchObject({ status: 404, cause: expect.stringContaining("files-none") });
  });

  it("ends with its signal, and every connection with it", async () => {
    const stop = new AbortController();
    const { port } = await openPortForward(box.cluster, pod, stop.signal);
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    stop.abort();
    await closed;
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

describe("a Service that leads nowhere", () => {
  const find = (name: string, port?: number | string) =>
    readyPodOfService(box.cluster, { namespace: box.namespace, name, port });

  it("suggests the nearest name", async () => {
    await expect(find("fils")).rejects.toMatchObject({
      cause: expect.stringContaining("did you mean files?"),
    });
  });

  it("lists its ports", async () => {
    await expect(find("files", "http")).rejects.toMatchObject({
      remedy: "Its TCP ports are: 80 (web).",
    });
  });

  it("tells its selector", async () => {
    await box.cluster.apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "empty", namespace: box.namespace },
      spec: { selector: { app: "nothing" }, ports: [{ port: 80 }] },
    });
    await expect(find("empty")).rejects.toMatchObject({
      cause: expect.stringContaining("app=nothing"),
    });
  });
});
