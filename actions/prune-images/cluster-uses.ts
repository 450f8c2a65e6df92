import { readSets } from "../../shared/apply-set/index.ts";
import { readReleases } from "../../shared/helm/index.ts";
import { type Cluster, connect, type KubernetesObject } from "../../shared/kubernetes/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";
import type { Uses } from "./uses.ts";

/** Kinds that run images, or keep what ran before to go back to. */
const KINDS = [
  { apiVersion: "v1", kind: "Pod" },
  { apiVersion: "v1", kind: "ReplicationController" },
  { apiVersion: "v1", kind: "PodTemplate" },
  { apiVersion: "apps/v1", kind: "Deployment" },
  { apiVersion: "apps/v1", kind: "ReplicaSet" },
  { apiVersion: "apps/v1", kind: "StatefulSet" },
  { apiVersion: "apps/v1", kind: "DaemonSet" },
  { apiVersion: "apps/v1", kind: "ControllerRevision" },
  { apiVersion: "batch/v1", kind: "Job" },
  { apiVersion: "batch/v1", kind: "CronJob" },
] as const;

/** The same of widespread extensions, looked at where a cluster serves them. */
const EXTENSIONS = [
  { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout" },
  { apiVersion: "argoproj.io/v1alpha1", kind: "CronWorkflow" },
  { apiVersion: "argoproj.io/v1alpha1", kind: "WorkflowTemplate" },
  { apiVersion: "serving.knative.dev/v1", kind: "Service" },
  { apiVersion: "serving.knative.dev/v1", kind: "Revision" },
  { apiVersion: "keda.sh/v1alpha1", kind: "ScaledJob" },
  { apiVersion: "apps.openshift.io/v1", kind: "DeploymentConfig" },
  { apiVersion: "apps.kruise.io/v1alpha1", kind: "CloneSet" },
  { apiVersion: "apps.kruise.io/v1beta1", kind: "StatefulSet" },
] as const;

/**
 * Adds what clusters run and may go back to: what every pod and template names, the digests that
 * pods really run, and the histories of Helm and of apply-manifests.
 *
 * @returns a sentence on each cluster.
 * @throws {UserError} when one cannot be reached, or does not let us see.
 */
export async function addClusterUses(
  { kubeconfig, contexts, namespaces, histories }: Options,
  uses: Uses,
  world: World,
): Promise<readonly string[]> {
  const told: string[] = [];
  for (const context of contexts ?? [undefined]) {
    const cluster = await connect({ kubeconfig, context }, world);
    const look = new Look(cluster, uses);
    const places = namespaces ?? [undefined];
    await Promise.all(places.map((namespace) => look.at(namespace, histories)));
    told.push(
      `cluster ${cluster.context}: ${look.objects} objects${histories ? ` and ${look.revisions} revisions of releases` : ""} looked at`,
    );
  }
  return told;
}

class Look {
  readonly #cluster: Cluster;
  readonly #uses: Uses;
  objects = 0;
  revisions = 0;

  constructor(cluster: Cluster, uses: Uses) {
    this.#cluster = cluster;
    this.#uses = uses;
  }

  async at(namespace: string | undefined, histories: boolean): Promise<void> {
    const served = await this.#cluster.resources();
    const extensions = EXTENSIONS.filter(({ apiVersion, kind }) =>
      served.resources.some((one) => one.apiVersion === apiVersion && one.kind === kind),
    );
    for (const { apiVersion, kind } of [...KINDS, ...extensions]) {
      await this.#cluster.list({ apiVersion, kind, namespace }, (item) => this.#take(item, kind));
    }
    if (!histories) return;
    const cluster = this.#cluster.context;
    for (const read of [readReleases, readSets]) {
      await read(this.#cluster, namespace, ({ name, text }) => {
        this.revisions += 1;
        this.#uses.add(text, `${name} in ${cluster}`);
      });
    }
  }

  /** Reads an object, and lets go of it: a large cluster's need not be in memory at once. */
  #take(item: KubernetesObject, kind: string): KubernetesObject {
    this.objects += 1;
    const { name, namespace } = item.metadata;
    this.#uses.add(
      JSON.stringify(item),
      `${kind} ${namespace}/${name} in ${this.#cluster.context}`,
    );
    return { apiVersion: "", kind, metadata: { name, namespace } } as KubernetesObject;
  }
}
