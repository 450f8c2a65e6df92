import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Cluster, KubernetesObject } from "../../../shared/kubernetes/index.ts";
import type { Endpoints } from "../../testbed/index.ts";

const run = promisify(execFile);

interface Place {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly endpoints: Pick<Endpoints, "bin" | "kubeconfig">;
}

export interface Account {
  readonly token: string;
  /** As the API server names it. */
  readonly user: string;
  /** The test bed's kubeconfig, with this account in the place of the administrator. */
  readonly kubeconfig: string;
}

/** What rollout-wait needs to read of workloads, events and logs included. */
export const READER = [
  rule("apps", ["deployments", "replicasets", "statefulsets", "daemonsets", "controllerrevisions"]),
  rule("", ["pods", "pods/log", "events"]),
];

export function rule(group: string, resources: readonly string[]) {
  return { apiGroups: [group], resources, verbs: ["get", "list", "watch"] };
}

/** A service account that may do this much in its namespace. */
export async function account(
  { cluster, namespace, endpoints }: Place,
  name: string,
  rules: readonly object[],
): Promise<Account> {
  const metadata = { name, namespace };
  const rbac = { apiVersion: "rbac.authorization.k8s.io/v1", metadata };
  const make = (object: object) => cluster.create(object as KubernetesObject);
  await make({ apiVersion: "v1", kind: "ServiceAccount", metadata });
  await make({ ...rbac, kind: "Role", rules });
  await make({
    ...rbac,
    kind: "RoleBinding",
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name },
    subjects: [{ kind: "ServiceAccount", name, namespace }],
  });
  const args = ["--kubeconfig", endpoints.kubeconfig, "-n", namespace, "create", "token", name];
  const token = (await run(join(endpoints.bin, "kubectl"), args)).stdout.trim();
  const config = JSON.parse(await readFile(endpoints.kubeconfig, "utf8")) as {
    users: { user: object }[];
  };
  for (const entry of config.users) entry.user = { token };
  const user = `system:serviceaccount:${namespace}:${name}`;
  return { token, user, kubeconfig: JSON.stringify(config) };
}
