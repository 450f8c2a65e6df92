import type { Cluster, KubernetesObject } from "../kubernetes/index.ts";
import { repositoryOf } from "./image-name.ts";
import type { Workload } from "./workload.ts";

/** An image that pods should run. */
export interface ExpectedImage {
  /** What people call it: the name of its service. */
  readonly service: string;
  /** `registry.example/shop/web` */
  readonly repository: string;
  /** `sha256:...` */
  readonly digest: string;
}

/** Whether the pods run the image that they should. */
export interface ImageProof {
  readonly service: string;
  readonly digest: string;
  readonly verdict: "proved" | "wrong" | "not-checked";
  /** Containers that should run it, and those that do. */
  readonly containers: number;
  readonly proved: number;
  /** What was seen instead, or why nothing could be checked. */
  readonly detail: string;
}

/** The fields of a pod that tell what it runs. */
export interface RunningPod extends KubernetesObject {
  readonly spec: {
    readonly containers: readonly AskedContainer[];
    readonly initContainers?: readonly AskedContainer[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly containerStatuses?: readonly StartedContainer[];
    readonly initContainerStatuses?: readonly StartedContainer[];
  };
}

interface AskedContainer {
  readonly name: string;
  readonly image?: string;
}

interface StartedContainer {
  readonly name: string;
  readonly imageID?: string;
}

interface PodsOf {
  readonly workload: Workload;
  /** Undefined when the workload does not say which pods are its own. */
  readonly pods: readonly RunningPod[] | undefined;
}

/**
 * Looks at the pods of every workload that should run one of the images.
 *
 * @throws {ApiError} when pods may not be listed.
 */
export async function proveImages(
  cluster: Cluster,
  expected: readonly ExpectedImage[],
  workloads: readonly Workload[],
): Promise<readonly ImageProof[]> {
  const concerned = workloads.filter((workload) =>
    expected.some((image) => containersFor(image, workload).length > 0),
  );
  const seen = await Promise.all(concerned.map((workload) => podsOf(cluster, workload)));
  return expected.map((image) => proofOf(image, seen));
}

async function podsOf(cluster: Cluster, workload: Workload): Promise<PodsOf> {
  const { selector, namespace } = workload;
  if (selector === undefined) return { workload, pods: undefined };
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const list = { apiVersion: "v1", kind: "Pod", namespace, labelSelector };
  const { items } = await cluster.list<RunningPod>(list);
  const pods = items.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.phase !== "Failed" &&
      status?.phase !== "Succeeded",
  );
  return { workload, pods };
}

/** Judges one image by the pods that should run it. */
export function proofOf(image: ExpectedImage, seen: readonly PodsOf[]): ImageProof {
  const checks = seen.flatMap(({ workload, pods }) =>
    containersFor(image, workload).flatMap((container) =>
      (pods ?? []).map((pod) => checkContainer(pod, container, image, workload)),
    ),
  );
  const { service, digest } = image;
  const proved = checks.filter(({ verdict }) => verdict === "proved").length;
  const wrong = checks.find((check) => check.verdict === "wrong");
  const unclear = checks.find((check) => check.verdict === "not-checked");
  const unseen = seen.find(
    ({ workload, pods }) => pods === undefined && containersFor(image, workload).length > 0,
  );
  const counts = { service, digest, containers: checks.length, proved };
  if (wrong !== undefined) return { ...counts, verdict: "wrong", detail: wrong.detail };
  if (unclear !== undefined) return { ...counts, verdict: "not-checked", detail: unclear.detail };
  if (checks.length === 0) {
    const { kind, name } = unseen?.workload ?? { kind: "", name: "" };
    const detail = unseen
      ? `${kind.toLowerCase()}/${name} has no pods of its own to look at`
      : "no container of a running pod should run it";
    return { ...counts, verdict: "not-checked", detail };
  }
  return { ...counts, verdict: "proved", detail: "" };
}

/**
 * The containers of a workload that were to run an image, by name: those that name its digest, or
 * else its repository; of these the main ones, or the init containers where there is no main one.
 */
function containersFor(
  { repository, digest }: ExpectedImage,
  { containers }: Workload,
): readonly string[] {
  const exact = containers.filter(({ image }) => image.endsWith(`@${digest}`));
  const kin = containers.filter(({ image }) => repositoryOf(image) === repository);
  const concerned = exact.length > 0 ? exact : kin;
  const main = concerned.filter(({ init }) => !init);
  return (main.length > 0 ? main : concerned).map(({ name }) => name);
}

/**
 * A container that was started by digest runs that digest, or it would not have started. One that
 * was started by tag tells in its imageID what the tag meant on its node.
 */
function checkContainer(
  pod: RunningPod,
  container: string,
  { digest }: ExpectedImage,
  { keepsOldPods }: Workload,
): Pick<ImageProof, "verdict" | "detail"> {
  const { spec, status } = pod;
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const started = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const asked = all.find(({ name }) => name === container)?.image ?? "";
  const id = started.find(({ name }) => name === container)?.imageID ?? "";
  if (asked.endsWith(`@${digest}`) || id.endsWith(`@${digest}`)) {
    return { verdict: "proved", detail: "" };
  }
  const place = `container ${container} of pod ${pod.metadata.name}`;
  if (asked.includes("@sha256:") || id.includes("@sha256:")) {
    // Its strategy leaves pods as they were, until somebody deletes them or moves the partition.
    const verdict = keepsOldPods ? "not-checked" : "wrong";
    return { verdict, detail: `${place} runs ${id || asked}` };
  }
  return { verdict: "not-checked", detail: `${place} does not tell the digest it runs` };
}
