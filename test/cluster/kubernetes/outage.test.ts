import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import {
  type Cluster,
  connect,
  type RolloutReport,
  waitForRollout,
} from "../../../shared/kubernetes/index.ts";
import { down, type Endpoints, status, up } from "../../testbed/index.ts";
import { account, READER } from "./account.ts";
import { PuppetNode } from "./puppet-node.ts";
import { testWorld } from "./sandbox.ts";

/** A cluster of its own, for its servers are killed: no kubelet, and so a matter of seconds. */
const BED = { ...process.env, SEAWORTHY_TESTBED_NAME: "seaworthy-outage" };
const WANTED = ["kube-controller-manager", "kube-scheduler", "kubectl"];
const NAMESPACE = "outage";
const AWAY = "Waiting for it to come back";

let endpoints: Endpoints;
let cluster: Cluster;
let kubeconfig: string;
let node: PuppetNode;
beforeAll(async () => {
  endpoints = await up(WANTED, { environment: BED });
  cluster = await connect({ kubeconfig: endpoints.kubeconfig }, testWorld().world);
  await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  // Roles and accounts are what an API server that has just started does not know yet.
  ({ kubeconfig } = await account({ cluster, namespace: NAMESPACE, endpoints }, "reader", READER));
  node = await PuppetNode.create(cluster, "one");
}, 600_000);
afterAll(async () => {
  node?.[Symbol.dispose]();
  await down({ environment: BED });
}, 120_000);

async function roll(name: string, seconds = 300): Promise<void> {
  const away = { operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds };
  const tolerations = ["not-ready", "unreachable"].map((key) => ({
    ...away,
    key: `node.kubernetes.io/${key}`,
  }));
  const labels = { app: name };
  await cluster.apply({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          tolerations,
          containers: [
            { name: "main", image: "none", readinessProbe: { tcpSocket: { port: 8080 } } },
          ],
        },
      },
    },
  } as Parameters<Cluster["apply"]>[0]);
}

async function waitFor(name: string): Promise<{ lines: string[]; report: Promise<RolloutReport> }> {
  const { world, lines } = testWorld();
  const reader = await connect({ kubeconfig }, world);
  const target = { apiVersion: "apps/v1", kind: "Deployment", namespace: NAMESPACE, name };
  const deadline = Date.now() + 180_000;
  return { lines, report: waitForRollout(reader, [target], { deadline, world }) };
}

async function until(met: () => boolean): Promise<void> {
  while (!met()) await new Promise((resolve) => setTimeout(resolve, 50));
}

async function kill(server: string): Promise<void> {
  const servers = await status({ environment: BED });
  const { pid } = servers.find(({ name }) => name === server) ?? {};
  if (pid === undefined) throw new Error(`${server} does not run`);
  process.kill(pid, "SIGKILL");
}

const saidOf = (words: string, lines: readonly string[]) =>
  until(() => lines.some((line) => line.includes(words)));

describe("a rollout", () => {
  it("outlives an API server that is killed in the middle and comes again", async () => {
    await roll("web");
    const { lines, report } = await waitFor("web");
    node.allow(1);
    await saidOf("1 of 3 pods", lines);
    await kill("kube-apiserver");
    await saidOf(AWAY, lines);
    node.allow(3);
    await up(WANTED, { environment: BED });
    expect((await report).verdict).toBe("ready");
    expect(lines).toContain("The API server is back.");
  }, 240_000);

  it("outlives a store that is gone for 10 s", async () => {
    await roll("store");
    const { lines, report } = await waitFor("store");
    node.allow(4);
    await saidOf("1 of 3 pods", lines);
    await kill("etcd");
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    node.allow(6);
    await up(WANTED, { environment: BED });
    expect((await report).verdict).toBe("ready");
  }, 240_000);

  it("outlives a node that is lost, and waits for the pods on another", async () => {
    await roll("moving", 1);
    const { lines, report } = await waitFor("moving");
    node.allow(8);
    await saidOf("2 of 3 pods", lines);
    await node.die();
    using other = await PuppetNode.create(cluster, "two");
    other.allow(100);
    const { verdict, resources } = await report;
    expect(verdict).toBe("ready");
    expect(resources[0]?.timeline.map(({ state }) => state)).not.toContain("failed");
  }, 240_000);
});
