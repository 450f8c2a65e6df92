import { randomBytes } from "node:crypto";
import { type Cluster, connect } from "../../../shared/kubernetes/index.ts";
import { Secrets } from "../../../shared/secrets/index.ts";
import type { World } from "../../../shared/world/index.ts";
import { systemClock } from "../../../shared/world/index.ts";
import { type Endpoints, resolveEndpoints } from "../../testbed/index.ts";

/** A namespace of one's own in the test bed's cluster, and the world that a use case sees. */
export interface Sandbox extends AsyncDisposable {
  readonly endpoints: Endpoints;
  readonly cluster: Cluster;
  readonly namespace: string;
}

export async function sandbox(prefix: string): Promise<Sandbox> {
  const endpoints = await resolveEndpoints(["kubernetes", "registry"]);
  const cluster = await connect({ kubeconfig: endpoints.kubeconfig }, testWorld().world);
  const namespace = `${prefix}-${randomBytes(3).toString("hex")}`;
  await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  return {
    endpoints,
    cluster,
    namespace,
    async [Symbol.asyncDispose]() {
      await cluster.delete({ apiVersion: "v1", kind: "Namespace", name: namespace });
    },
  };
}

export interface TestWorld {
  readonly world: World;
  readonly lines: string[];
  readonly cancel: (reason?: unknown) => void;
}

/** A world with a real clock, whose log is kept. */
export function testWorld(): TestWorld {
  const lines: string[] = [];
  const work = new AbortController();
  const say = (text: string) => void lines.push(text);
  const world: World = {
    clock: systemClock,
    log: { info: say, debug() {}, warning: say, group: (title) => say(title) },
    secrets: new Secrets(),
    signal: work.signal,
    aftermath: new AbortController().signal,
    environment: process.env,
  };
  return { world, lines, cancel: (reason) => work.abort(reason) };
}

export interface DeploymentParts {
  readonly replicas?: number;
  readonly paused?: boolean;
  readonly serviceAccountName?: string;
  readonly container?: object;
  readonly pod?: object;
}

/** A Deployment of one container that serves HTTP on 8080 with a shell's small server. */
export function deployment(box: Sandbox, name: string, parts: DeploymentParts = {}) {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: box.namespace, labels },
    spec: {
      replicas: parts.replicas ?? 1,
      paused: parts.paused ?? false,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          ...parts.pod,
          containers: [
            {
              name: "main",
              image: box.endpoints.busyboxImage,
              command: ["httpd", "-f", "-p", "8080", "-h", "/etc"],
              ports: [{ name: "http", containerPort: 8080 }],
              readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
              ...parts.container,
            },
          ],
        },
      },
    },
  };
}
