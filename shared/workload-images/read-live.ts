import { UserError } from "../failure/index.ts";
import type { ImageMap } from "../image-map/index.ts";
import { type Cluster, isForbidden, type KubernetesObject } from "../kubernetes/index.ts";
import { KINDS } from "./live-workload.ts";
import type { WorkloadLine } from "./workload-line.ts";

/**
 * The workloads of a namespace; of kinds that may not be listed, those that lines name.
 *
 * @throws {ApiError} when none may be listed, or when one that a line names may not be read.
 */
export async function readLive(
  cluster: Cluster,
  namespace: string,
  lines: readonly WorkloadLine[],
): Promise<{ readonly live: readonly KubernetesObject[]; readonly notes: readonly string[] }> {
  const read = await Promise.allSettled(KINDS.map((kind) => cluster.list({ ...kind, namespace })));
  const notes: string[] = [];
  const live: KubernetesObject[] = [];
  for (const [at, result] of read.entries()) {
    const kind = KINDS[at]?.kind;
    if (result.status === "fulfilled") live.push(...result.value.items);
    else if (!isForbidden(result.reason)) throw result.reason;
    else {
      const named = lines.filter(({ ref }) => ref.kind === kind);
      live.push(...(await Promise.all(named.map(({ ref }) => cluster.get(ref)))));
      notes.push(`${kind}s were not looked at: this user may not list them`);
    }
  }
  const refused = read.find((result) => result.status === "rejected");
  if (live.length === 0 && notes.length === KINDS.length && refused?.status === "rejected") {
    throw refused.reason;
  }
  return { live, notes };
}

/**
 * Says why there is nothing to set images in.
 *
 * @throws {UserError} always, unless no image is to be set.
 */
export async function explainNone(
  cluster: Cluster,
  namespace: string,
  images: ImageMap,
): Promise<void> {
  if (Object.keys(images).length === 0) return;
  const found = await cluster
    .find({ apiVersion: "v1", kind: "Namespace", name: namespace })
    .catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
      return "unknown";
    });
  const missing = found === undefined;
  throw new UserError({
    title: missing
      ? `The namespace ${namespace} does not exist`
      : "There is nothing to set images in",
    cause: missing
      ? `Images for ${Object.keys(images).join(", ")} were to be set in it.`
      : `The namespace ${namespace} has no Deployment, StatefulSet, DaemonSet or CronJob.`,
    remedy:
      "Check the namespace and the cluster that the kubeconfig names. A first deploy needs manifests, or a chart.",
  });
}
