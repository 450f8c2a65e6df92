import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cluster, parseTarget, waitForRollout } from "../../../shared/kubernetes/index.ts";
import { testWorld } from "../../cluster/kubernetes/sandbox.ts";
import type { Endpoints } from "../../testbed/index.ts";

/** A registry that misbehaves, on every node's loopback address: see server.ts. */
export interface MisbehavingRegistry {
  /** `127.0.0.1:23456`, as image names begin. */
  readonly host: string;
}

const START_MS = 60_000;

/** Starts it in this namespace, and ends with it. */
export async function misbehavingRegistry(
  cluster: Cluster,
  namespace: string,
  { registry, nodeImage }: Endpoints,
): Promise<MisbehavingRegistry> {
  // Below the ports that the kernel gives to outgoing connections.
  const port = randomInt(20_000, 30_000);
  const server = await readFile(join(import.meta.dirname, "server.ts"), "utf8");
  await cluster.apply({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "registry", namespace },
    ...{ data: { "server.ts": server } },
  });
  const environment = { PORT: String(port), REGISTRY: registry };
  const container = {
    name: "registry",
    image: nodeImage,
    command: ["node", "--disable-warning=ExperimentalWarning", "/app/server.ts"],
    env: Object.entries(environment).map(([name, value]) => ({ name, value })),
    volumeMounts: [{ name: "app", mountPath: "/app" }],
    readinessProbe: { tcpSocket: { port }, periodSeconds: 1 },
  };
  const labels = { app: "registry" };
  await cluster.apply({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "registry", namespace },
    ...{
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            terminationGracePeriodSeconds: 1,
            containers: [container],
            volumes: [{ name: "app", configMap: { name: "registry" } }],
          },
        },
      },
    },
  });
  const { world } = testWorld();
  const targets = [parseTarget("daemonset/registry", namespace)];
  const deadline = Date.now() + START_MS;
  const { verdict, cause } = await waitForRollout(cluster, targets, { deadline, world });
  if (verdict !== "ready") throw new Error(`the misbehaving registry: ${cause?.message}`);
  return { host: `127.0.0.1:${port}` };
}
