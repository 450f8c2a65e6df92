import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, connect } from "../shared/kubernetes/index.ts";
import { Secrets } from "../shared/secrets/index.ts";
import { silentLog } from "../shared/world/index.ts";
import { removeTestbed } from "./ground.ts";
import type { Story } from "./story.ts";

/** The namespace in which the demo does everything. */
export const NAMESPACE = "seaworthy-demo";

const LONGEST_MS = 60_000;

/** Opens a cluster for the demo's own looks and clean-up. */
export function openCluster(kubeconfig: string, signal: AbortSignal): Promise<Cluster> {
  const world = { signal, secrets: new Secrets(), environment: {}, log: silentLog };
  return connect({ kubeconfig }, world);
}

/** Removes what the demo has set up: the test bed, or its namespace in the user's cluster. */
export async function removeEverything(
  environment: NodeJS.ProcessEnv,
  story: Story,
): Promise<void> {
  const kubeconfig = environment.SEAWORTHY_KUBECONFIG;
  if (kubeconfig) {
    await readFile(kubeconfig);
    await removeNamespace(await openCluster(kubeconfig, AbortSignal.timeout(LONGEST_MS)));
    story.tell(
      `Namespace ${NAMESPACE} is gone from your cluster; its images stay in your registry`,
    );
    return;
  }
  await removeTestbed(story);
  story.tell("Nothing of the demo runs any more; demo-report.html stays");
}

/** Deletes the demo's namespace and waits until it is gone. */
export async function removeNamespace(cluster: Cluster): Promise<void> {
  const ref = { apiVersion: "v1", kind: "Namespace", name: NAMESPACE };
  await cluster.delete(ref);
  while ((await cluster.find(ref)) !== undefined) await sleep(200);
}
