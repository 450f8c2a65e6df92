import { isDeepStrictEqual } from "node:util";
import { UserError } from "../failure/index.ts";
import {
  type Cluster,
  type KubernetesObject,
  nameOf,
  type ObjectRef,
} from "../kubernetes/index.ts";
import type { Clock } from "../world/index.ts";
import { abandonedBecause } from "./abandoned.ts";
import type { PodTemplate, WorkloadRevision } from "./revision.ts";

const REVISION = "deployment.kubernetes.io/revision";
const FORMERLY = "deployment.kubernetes.io/revision-history";
const CHANGE_CAUSE = "kubernetes.io/change-cause";
const TEMPLATE_HASH = "pod-template-hash";
const REVISION_HASH = "controller-revision-hash";
/** Longest wait for a controller to see the newest change. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 200;

/** A Deployment, StatefulSet or DaemonSet, as far as its history concerns it. */
export interface RevisedWorkload extends KubernetesObject {
  readonly spec: {
    readonly template: PodTemplate;
    readonly selector: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly paused?: boolean;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
  readonly status?: { readonly observedGeneration?: number };
}

export interface WorkloadHistory {
  readonly workload: RevisedWorkload;
  /** Newest first. */
  readonly revisions: readonly WorkloadRevision[];
}

/**
 * The revisions of a workload that its cluster still holds: a Deployment's ReplicaSets, a
 * StatefulSet's or DaemonSet's ControllerRevisions.
 *
 * @throws {UserError} when the workload does not exist, or its controller has not seen its newest
 * change for 5 s.
 * @throws {ApiError} when its revisions or pods may not be read.
 */
export async function readWorkloadHistory(
  cluster: Cluster,
  ref: ObjectRef,
  clock: Clock,
): Promise<WorkloadHistory> {
  const workload = await observed(cluster, ref, clock);
  const revisions =
    ref.kind === "Deployment"
      ? await replicaSets(cluster, workload)
      : await controllerRevisions(cluster, workload);
  return { workload, revisions: [...revisions].sort((a, b) => b.revision - a.revision) };
}

async function observed(cluster: Cluster, ref: ObjectRef, clock: Clock): Promise<RevisedWorkload> {
  const giveUpAt = clock.now() + PATIENCE_MS;
  for (;;) {
    const workload = await cluster.get<RevisedWorkload>(ref);
    const { generation = 0 } = workload.metadata;
    if ((workload.status?.observedGeneration ?? 0) >= generation) return workload;
    if (clock.now() >= giveUpAt) {
      throw new UserError({
        title: "The controller does not keep up",
        cause: `${nameOf(ref)} was changed, and its controller has not seen the change for ${PATIENCE_MS / 1_000} s: which revision is the newest is not known.`,
        remedy: "See whether the cluster's controller manager runs, then run again.",
      });
    }
    await clock.sleep(LOOK_MS);
  }
}

interface ReplicaSet extends KubernetesObject {
  readonly spec: { readonly template: PodTemplate };
  readonly status?: { readonly readyReplicas?: number };
}

async function replicaSets(
  cluster: Cluster,
  workload: RevisedWorkload,
): Promise<readonly WorkloadRevision[]> {
  const sets = await owned<ReplicaSet>(cluster, workload, "ReplicaSet");
  return sets.flatMap((keeper): WorkloadRevision[] => {
    const { annotations = {} } = keeper.metadata;
    const revision = Number(annotations[REVISION]);
    // A ReplicaSet that the controller has not numbered yet is no revision to go back to.
    if (!Number.isInteger(revision)) return [];
    const formerly = (annotations[FORMERLY] ?? "").split(",").filter((text) => text !== "");
    const template = withoutLabel(keeper.spec.template, TEMPLATE_HASH);
    return [
      {
        revision,
        formerly: formerly.map(Number),
        keeper,
        createdAt: keeper.metadata.creationTimestamp ?? "",
        changeCause: annotations[CHANGE_CAUSE],
        template,
        // The ReplicaSet of a new template may come later: with Recreate the old pods go first.
        current: isDeepStrictEqual(template, workload.spec.template),
        ready: keeper.status?.readyReplicas ?? 0,
        abandoned: abandonedBecause(keeper, revision),
      },
    ];
  });
}

interface ControllerRevision extends KubernetesObject {
  readonly revision: number;
  readonly data?: { readonly spec?: { readonly template?: PodTemplate & { $patch?: string } } };
}

interface Pod extends KubernetesObject {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function controllerRevisions(
  cluster: Cluster,
  workload: RevisedWorkload,
): Promise<readonly WorkloadRevision[]> {
  const [keepers, pods] = await Promise.all([
    owned<ControllerRevision>(cluster, workload, "ControllerRevision"),
    owned<Pod>(cluster, workload, "Pod"),
  ]);
  const newest = Math.max(...keepers.map(({ revision }) => revision));
  return keepers.flatMap((keeper): WorkloadRevision[] => {
    const { $patch: _, ...template } = keeper.data?.spec?.template ?? {};
    if (template.spec === undefined) return [];
    const hash = keeper.metadata.labels?.[REVISION_HASH];
    const own = pods.filter(({ metadata }) => {
      const label = metadata.labels?.[REVISION_HASH];
      // A StatefulSet writes the revision's name there, a DaemonSet its hash.
      return label !== undefined && (label === keeper.metadata.name || label === hash);
    });
    return [
      {
        revision: keeper.revision,
        formerly: [],
        keeper,
        createdAt: keeper.metadata.creationTimestamp ?? "",
        changeCause: keeper.metadata.annotations?.[CHANGE_CAUSE],
        template,
        current: keeper.revision === newest,
        ready: own.filter(isReady).length,
        abandoned: abandonedBecause(keeper, keeper.revision),
      },
    ];
  });
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
}

/** The objects of a kind that a workload made. */
async function owned<T extends KubernetesObject>(
  cluster: Cluster,
  { metadata, spec }: RevisedWorkload,
  kind: "ReplicaSet" | "ControllerRevision" | "Pod",
): Promise<readonly T[]> {
  const labels = Object.entries(spec.selector.matchLabels ?? {});
  const { items } = await cluster.list<T>({
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    namespace: metadata.namespace,
    labelSelector: labels.map(([key, value]) => `${key}=${value}`).join(",") || undefined,
  });
  return items.filter((item) =>
    item.metadata.ownerReferences?.some(
      ({ uid, controller }) => controller === true && uid === metadata.uid,
    ),
  );
}

function withoutLabel(template: PodTemplate, label: string): PodTemplate {
  const { [label]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
