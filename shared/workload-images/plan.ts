import { UserError } from "../failure/index.ts";
import type { BuiltImage, ImageMap } from "../image-map/index.ts";
import { annotationOf, configAnnotation, type SettledConfig } from "../job-config/index.ts";
import { type Cluster, type KubernetesObject, nameOf, refOf } from "../kubernetes/index.ts";
import { stateLike, type WorkloadChange, type WorkloadState } from "./change.ts";
import { fullRepository, type LiveWorkload, liveWorkload } from "./live-workload.ts";
import { type Placement, placeImages } from "./place-images.ts";
import { explainNone, readLive } from "./read-live.ts";
import { parseWorkloadLine, type WorkloadLine } from "./workload-line.ts";
import { planOf, type WorkloadPlan } from "./workload-plan.ts";

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
  if (live.length === 0) await explainNone(cluster, namespace, wishes.images);
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
  return planOf(concerned, notes);
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
