import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { watchAvailability } from "../../../shared/availability/index.ts";
import { nameOf, type ObjectRef, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { deployment, type Sandbox, sandbox, testWorld } from "../kubernetes/sandbox.ts";

const { world } = testWorld();
let box: Sandbox;

beforeAll(async () => {
  box = await sandbox("availability");
});
afterAll(async () => box?.[Symbol.asyncDispose]());

async function service(name: string, minAvailable?: number): Promise<void> {
  const metadata = { name, namespace: box.namespace };
  const selector = { app: name };
  await box.cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector, ports: [{ port: 80, targetPort: 8080 }] },
  } as never);
  if (minAvailable === undefined) return;
  await box.cluster.apply({
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: { minAvailable, selector: { matchLabels: selector } },
  } as never);
}

async function out(target: ObjectRef): Promise<void> {
  const report = await waitForRollout(box.cluster, [target], {
    deadline: Date.now() + 60_000,
    world,
  });
  if (report.verdict !== "ready") throw new Error(`${nameOf(target)}: ${report.cause?.message}`);
}

const ref = (name: string): ObjectRef => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: box.namespace,
  name,
});

describe("the watch on a Service's endpoints", () => {
  it("sees that a rolling update leaves enough, and that a scale-down does not", async () => {
    const served = [{ namespace: box.namespace, labels: { app: "web" } }];
    await service("web", 2);
    {
      using first = await watchAvailability(box.cluster, served, { world });
      await box.cluster.apply(deployment(box, "web", { replicas: 3 }));
      await out(ref("web"));
      await seen(() => first.report().services[0]?.after === 3);
      expect(first.report()).toMatchObject({ hurt: "no", services: [{ before: 0 }] });
    }
    const update = await watchAvailability(box.cluster, served, { world });
    await box.cluster.apply(
      deployment(box, "web", { replicas: 3, container: { env: [{ name: "A", value: "1" }] } }),
    );
    await out(ref("web"));
    expect(update.end()).toMatchObject({
      hurt: "no",
      services: [{ service: "web", required: 2, why: "PodDisruptionBudget web", before: 3 }],
    });

    using outage = await watchAvailability(box.cluster, served, { world });
    await box.cluster.patch(ref("web"), { spec: { replicas: 1 } });
    await out(ref("web"));
    await seen(() => outage.report().services[0]?.after === 1);
    expect(outage.report()).toMatchObject({ hurt: "yes", services: [{ lowest: 1, after: 1 }] });
    expect(outage.report().affectedSeconds).toBeGreaterThan(0);
  }, 90_000);

  it("does not claim to know where no Service is in front", async () => {
    const served = [{ namespace: box.namespace, labels: { app: "worker" } }];
    using watch = await watchAvailability(box.cluster, served, { world });
    expect(watch.report()).toMatchObject({ hurt: "unknown", services: [] });
  });
});

async function seen(condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error("the endpoints never came to that");
    await world.clock.sleep(50);
  }
}
