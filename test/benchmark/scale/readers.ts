import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { request } from "undici";
import type { Cluster, KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { Endpoints } from "../../testbed/index.ts";

const run = promisify(execFile);

/** A service account that may read one namespace, whose requests the API server counts apart. */
export interface Reader {
  readonly kubeconfig: string;
  readonly flowSchema: string;
}

interface Place {
  readonly kubectl: string;
  readonly namespace: string;
  readonly folder: string;
  readonly endpoints: Endpoints;
}

/**
 * Makes a service account and its kubeconfig. A FlowSchema of its own makes the API server count
 * each request of this account, whatever sends it.
 */
export async function makeReader(cluster: Cluster, place: Place, name: string): Promise<Reader> {
  const { kubectl, namespace, folder, endpoints } = place;
  const flowSchema = `${namespace}-${name}`;
  for (const object of objectsOf(namespace, name, flowSchema)) await cluster.apply(object);
  const args = ["--kubeconfig", endpoints.kubeconfig, "-n", namespace];
  const { stdout } = await run(kubectl, [...args, "create", "token", name, "--duration=2h"]);
  const config = JSON.parse(await readFile(endpoints.kubeconfig, "utf8")) as {
    users: { user: object }[];
  };
  for (const entry of config.users) entry.user = { token: stdout.trim() };
  const kubeconfig = join(folder, `${flowSchema}.kubeconfig`);
  await writeFile(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  const reader = { kubeconfig, flowSchema };
  await untilCounted(cluster, kubectl, reader);
  return reader;
}

function objectsOf(namespace: string, name: string, flowSchema: string): KubernetesObject[] {
  const account = { kind: "ServiceAccount", serviceAccount: { name, namespace } };
  const rbac = "rbac.authorization.k8s.io";
  const metadata = { name, namespace };
  const anything = {
    subjects: [account],
    resourceRules: [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] },
    ],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  };
  const objects = [
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata,
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "view" },
      subjects: [{ kind: "ServiceAccount", name, namespace }],
    },
    {
      apiVersion: "flowcontrol.apiserver.k8s.io/v1",
      kind: "FlowSchema",
      metadata: { name: flowSchema },
      spec: {
        matchingPrecedence: 500,
        priorityLevelConfiguration: { name: "workload-low" },
        distinguisherMethod: { type: "ByUser" },
        rules: [anything],
      },
    },
  ];
  return objects;
}

/** The API server takes a moment to learn of a new FlowSchema. */
async function untilCounted(cluster: Cluster, kubectl: string, reader: Reader): Promise<void> {
  while (requestsOf(await countRequests(cluster), reader) === 0) {
    await run(kubectl, ["--kubeconfig", reader.kubeconfig, "get", "--raw", "/version"]);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** How many requests the API server has served of each FlowSchema, watches among them. */
export type Counts = ReadonlyMap<string, number>;

export async function countRequests(cluster: Cluster): Promise<Counts> {
  const { headers, dispatcher } = await cluster.access();
  const { body } = await request(`${cluster.server}/metrics`, { headers, dispatcher });
  const text = await body.text();
  const counts = new Map<string, number>();
  const lines = text.matchAll(
    /^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="([^"]+)"[^}]*\} (\S+)$/gm,
  );
  for (const [, name = "", count] of lines) {
    counts.set(name, (counts.get(name) ?? 0) + Number(count));
  }
  return counts;
}

export function requestsOf(counts: Counts, { flowSchema }: Reader): number {
  return counts.get(flowSchema) ?? 0;
}
