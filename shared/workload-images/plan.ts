import { UserError } from "../failure/index.ts";
import type { BuiltImage, ImageMap } from "../image-map/index.ts";
import { annotationOf, configAnnotation, type SettledConfig } from "../job-config/index.ts";
import {
  type Cluster,
  isForbidden,
  type KubernetesObject,
  nameOf,
  refOf,
} from "../kubernetes/index.ts";
import {
  sameState,
  stateLike,
  titleOf,
  type WorkloadChange,
  type WorkloadState,
} from "./change.ts";
import { guardianOf } from "./guardian.ts";
import { fullRepository, KINDS, type LiveWorkload, liveWorkload } from "./live-workload.ts";
import { type Placement, placeImages } from "./place-images.ts";
import { parseWorkloadLine, type WorkloadLine } from "./workload-line.ts";

/** What is asked of live workloads. */
export interface WorkloadWishes {
  readonly images: ImageMap;
  /** `deployment/web:container=service` */
  readonly lines: readonly string[];
  /** Config whose readers are to be made anew when it changes; empty for none. */
  readonly config: readonly SettledConfig[];
  /** Who does it, for the change-cause that `kubectl rollout history` shows. */
  readonly by: string;
  /** Workloads that manifests describe, which get their images and notes there. */
  readonly except?: readonly KubernetesObject[];
}

/** What is to be done with live workloads. Nothing of it is done yet. */
export interface WorkloadPlan {
  readonly changes: readonly WorkloadChange[];
  /** `deployment/web`: those that have the images already. */
  readonly unchanged: readonly string[];
  /** The workloads that were looked for, as they are: changed and unchanged ones. */
  readonly workloads: readonly KubernetesObject[];
  /** What a reader should know. */
  readonly notes: readonly string[];
  /** What may undo the deploy behind its back. */
  readonly warnings: readonly string[];
}

/**
 * Decides how live workloads are to change: which containers get which image, and which templates a
 * new note of their config. Changes nothing.
 *
 * @throws {UserError} when an image fits nowhere or could be meant for several places, or when a
 * workload is paused.
 * @throws {ApiError} when workloads may not be listed.
 */
export async function planWorkloads(
  cluster: Cluster,
  namespace: string,
  wishes: WorkloadWishes,
): Promise<WorkloadPlan> {
  const lines = wishes.lines.map((line) => parseWorkloadLine(line, namespace));
  const { live, notes } = await readLive(cluster, namespace, lines);
  if (live.length === 0) await explainNone(cluster, namespace, wishes);
  const described = new Set(wishes.except?.map((object) => nameOf(refOf(object))));
  const plan = planFrom(
    live.map(liveWorkload).filter(({ title }) => !described.has(title)),
    lines,
    wishes,
    namespace,
  );
  return { ...plan, notes: [...notes, ...plan.notes] };
}

/** The same from workloads that are at hand. */
export function planFrom(
  workloads: readonly LiveWorkload[],
  lines: readonly WorkloadLine[],
  { images, config, by }: Pick<WorkloadWishes, "images" | "config" | "by">,
  namespace: string,
): WorkloadPlan {
  const { placements, problems, notes } = placeImages(workloads, images, lines);
  if (problems.length > 0) throw unplaceable(problems, namespace);
  const concerned = workloads.flatMap((workload) => {
    const own = placements.filter(({ container }) => container.workload === workload);
    const change = changeOf(workload, own, config, by, namespace);
    return own.length === 0 && change === undefined ? [] : [{ workload, change }];
  });
  refusePaused(concerned);
  const changed = concerned.filter(({ change }) => change !== undefined);
  const unchanged = concerned.filter(({ change }) => change === undefined);
  return {
    changes: changed.flatMap(({ change }) => change ?? []),
    unchanged: unchanged.map(({ workload }) => workload.title),
    workloads: concerned.map(({ workload }) => workload.object),
    notes: [...notes, ...changed.flatMap(({ workload }) => cautionsOf(workload))],
    warnings: changed.flatMap(({ workload }) => {
      const guardian = guardianOf(workload.object);
      return guardian === undefined ? [] : [`${workload.title}: ${guardian}`];
    }),
  };
}

function changeOf(
  { object }: LiveWorkload,
  placements: readonly Placement[],
  config: readonly SettledConfig[],
  by: string,
  namespace: string,
): WorkloadChange | undefined {
  const moving = placements.filter(({ container, image }) => !runs(container.image, image));
  const wanted = configAnnotation(object, object, config);
  const noted = wanted !== undefined && wanted !== annotationOf(object);
  if (moving.length === 0 && !noted) return undefined;
  const words = [
    ...new Set(moving.map(({ service, image }) => `${service} ${image.digest.slice(0, 19)}`)),
    ...(noted ? ["config"] : []),
  ];
  const after: WorkloadState = {
    images: Object.fromEntries(
      moving.map(({ container, image }) => [container.name, pinned(image)]),
    ),
    ...(noted ? { config: wanted } : {}),
    changeCause: `${words.join(", ")}: ${by}`,
  };
  const { apiVersion, kind, metadata } = object;
  return {
    ref: { apiVersion, kind, namespace, name: metadata.name },
    uid: metadata.uid ?? "",
    before: stateLike(object, after),
    after,
  };
}

/** The digest decides; the tag is for people. */
function pinned({ repository, tag, digest }: BuiltImage): string {
  return `${repository}${tag ? `:${tag}` : ""}@${digest}`;
}

/** Whether a container is to run this very image already, by whatever tag beside the digest. */
function runs(
  live: string,
  { repository, digest }: { readonly repository: string; readonly digest: string },
): boolean {
  return live.endsWith(`@${digest}`) && fullRepository(live) === fullRepository(repository);
}

/**
 * The changes that bring live workloads to a recorded state: to go back to a revision.
 *
 * @throws {UserError} when a workload, or a container of it, is there no longer.
 */
export async function retarget(
  cluster: Cluster,
  recorded: readonly WorkloadChange[],
  by: string,
): Promise<WorkloadPlan> {
  const found = await Promise.all(
    recorded.map(async (change) => ({ change, object: await cluster.find(change.ref) })),
  );
  const problems: string[] = [];
  const plans = found.flatMap(({ change, object }) => {
    const { after } = change;
    const now = object === undefined ? undefined : stateLike(object, after);
    const missing = Object.keys(after.images).filter((name) => now?.images[name] === undefined);
    if (object === undefined || now === undefined) {
      problems.push(`${titleOf(change)} does not exist any more`);
      return [];
    }
    if (missing.length > 0) {
      problems.push(`${titleOf(change)} has no container ${missing.join(", ")} any more`);
      return [];
    }
    const wanted = { ...after, changeCause: by };
    const uid = object.metadata.uid ?? "";
    const next = sameState(now, after) ? undefined : { ...change, uid, before: now, after: wanted };
    return [{ workload: liveWorkload(object), change: next }];
  });
  if (problems.length > 0) throw cannotGoBack(problems);
  refusePaused(plans);
  const moving = plans.filter(({ change }) => change !== undefined);
  return {
    changes: moving.flatMap(({ change }) => change ?? []),
    unchanged: plans.flatMap(({ workload, change }) =>
      change === undefined ? [workload.title] : [],
    ),
    workloads: plans.map(({ workload }) => workload.object),
    notes: moving.flatMap(({ workload }) => cautionsOf(workload)),
    warnings: moving.flatMap(({ workload }) => {
      const guardian = guardianOf(workload.object);
      return guardian === undefined ? [] : [`${workload.title}: ${guardian}`];
    }),
  };
}

interface Concerned {
  readonly workload: LiveWorkload;
  readonly change: WorkloadChange | undefined;
}

interface WorkloadSpec {
  readonly spec?: {
    readonly paused?: boolean;
    readonly suspend?: boolean;
    readonly replicas?: number;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
}

function refusePaused(concerned: readonly Concerned[]): void {
  const paused = concerned.filter(
    ({ workload, change }) =>
      change !== undefined && (workload.object as WorkloadSpec).spec?.paused === true,
  );
  if (paused.length === 0) return;
  const names = paused.map(({ workload }) => workload.title);
  throw new UserError({
    title: "A paused Deployment would not roll out",
    cause: `${names.join(", ")} ${names.length === 1 ? "is" : "are"} paused: a new image would be written down and nothing would move.`,
    remedy: `Run \`kubectl rollout resume ${names[0]}\`, then run again. Nothing was changed.`,
  });
}

/** What of a workload's settings keeps pods from being replaced at once. */
function cautionsOf({ title, object }: LiveWorkload): readonly string[] {
  const { spec = {} } = object as WorkloadSpec;
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  const partition = rollingUpdate?.partition ?? 0;
  return [
    ...(type === "OnDelete"
      ? [`${title} has the strategy OnDelete: its pods take the image when somebody deletes them`]
      : []),
    ...(partition > 0
      ? [`${title} has the partition ${partition}: pods with lower numbers keep their image`]
      : []),
    ...(object.kind === "CronJob"
      ? [
          `${title} uses the image at its next run${spec.suspend === true ? ", and is suspended" : ""}`,
        ]
      : []),
    ...(spec.replicas === 0 ? [`${title} is scaled to 0: no pod runs the image`] : []),
  ];
}

/** The workloads of a namespace; of kinds that may not be listed, those that lines name. */
async function readLive(
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

async function explainNone(
  cluster: Cluster,
  namespace: string,
  { images }: WorkloadWishes,
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

function unplaceable(problems: readonly string[], namespace: string): UserError {
  return new UserError({
    title:
      problems.length === 1
        ? "It is not clear where an image goes"
        : `It is not clear where ${problems.length} images go`,
    cause: problems.map((problem) => `In namespace ${namespace}: ${problem}.`).join("\n"),
    remedy: "Nothing was changed.",
  });
}

function cannotGoBack(problems: readonly string[]): UserError {
  return new UserError({
    title: "That state cannot be had again",
    cause: problems.map((problem) => `${problem}.`).join("\n"),
    remedy: "Choose another revision, or deploy anew. Nothing was changed.",
  });
}
