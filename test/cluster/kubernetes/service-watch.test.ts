import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { Cluster } from "../../../shared/kubernetes/cluster.ts";
import { NoReadyPod, type ServiceWatch, watchService } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox } from "./sandbox.ts";

let box: Sandbox;
let watch: ServiceWatch;
const stop = new AbortController();

beforeAll(async () => {
  box = await sandbox("service-watch");
  const { cluster, namespace } = box;
  await cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "late", namespace },
    spec: {
      selector: { app: "late" },
      ports: [
        { name: "web", port: 80, targetPort: "http" },
        { name: "other", port: 81 },
      ],
    },
  });
  watch = watchService(cluster, { namespace, name: "late", port: "web" }, stop.signal);
}, 60_000);
afterAll(async () => {
  stop.abort();
  await box?.[Symbol.asyncDispose]();
});

/** Asks until there is an answer. */
async function first<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof NoReadyPod)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe("a Service that is watched", () => {
  it("costs one list, however often it is asked for while nothing is ready", async () => {
    const list = jest.spyOn(Cluster.prototype, "list");
    await expect(watch.readyPods()).rejects.toThrow(NoReadyPod);
    for (let n = 0; n < 20; n += 1) await expect(watch.readyPods()).rejects.toThrow("app=late");
    expect(list).toHaveBeenCalledTimes(1);
  });

  it("has its pods as soon as they are ready", async () => {
    await box.cluster.apply(deployment(box, "late"));
    const [pod] = await first(() => watch.readyPods());
    expect(pod).toEqual({
      namespace: box.namespace,
      pod: expect.stringMatching(/^late-/),
      port: 8080,
    });
  }, 60_000);

  it("tells its pods without their ports to who needs none", async () => {
    const { cluster, namespace } = box;
    const portless = watchService(cluster, { namespace, name: "late" }, stop.signal);
    await expect(portless.readyPods()).rejects.toMatchObject({
      cause: "Service late has 2 ports, and none was chosen.",
    });
    expect(await first(() => portless.readyNames())).toEqual([expect.stringMatching(/^late-/)]);
  });
});
