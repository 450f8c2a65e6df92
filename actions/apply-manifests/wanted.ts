import { type DesiredObject, isPredecessor, type Wanted } from "../../shared/apply-set/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import {
  readJobConfig,
  type SettledConfig,
  settleJobConfig,
  withChecksums,
} from "../../shared/job-config/index.ts";
import {
  type Cluster,
  findAll,
  type KubernetesObject,
  refOf,
} from "../../shared/kubernetes/index.ts";
import { type PinnedImage, readManifests, setImages } from "../../shared/manifests/index.ts";
import { planWorkloads, type WorkloadPlan } from "../../shared/workload-images/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** What the job brings, read and checked as far as it can be without a cluster. */
export interface Sources {
  readonly objects: readonly DesiredObject[];
  readonly images: readonly PinnedImage[];
  readonly config: Awaited<ReturnType<typeof readJobConfig>>;
  /** Images go onto live workloads, for there are no manifests to put them into. */
  readonly imagesOnly: boolean;
}

/**
 * Reads manifests, images and config of the job.
 *
 * @throws {UserError} when there is nothing to deploy, or with the place where anything is wrong.
 */
export async function readSources(options: Options, world: World): Promise<Sources> {
  const { manifests, content, images = {}, imageNames, secrets = [], configMaps = [] } = options;
  const inline =
    content === undefined
      ? []
      : [{ kind: "inline" as const, name: "the input content", text: content }];
  const sources = [...(manifests ?? []), ...inline];
  const pinned = Object.entries(images).map(([service, image]) => ({ service, ...image }));
  if (sources.length + pinned.length + secrets.length + configMaps.length === 0) throw nothing();
  const workspace = world.environment.GITHUB_WORKSPACE || process.cwd();
  const config = await readJobConfig([...configMaps, ...secrets], {
    workspace,
    environment: world.environment,
    secrets: world.secrets,
  });
  const read = await readManifests(sources, workspace, world);
  if (sources.length > 0 && read.length === 0) throw empty();
  for (const secret of secretsIn(read.map(({ object }) => object))) world.secrets.add(secret);
  const imagesOnly = sources.length === 0 && pinned.length > 0;
  if (!imagesOnly && options.workloads.length > 0) throw misplacedLines(sources.length > 0);
  const placing = imagesOnly ? [] : pinned;
  return { objects: setImages(read, placing, imageNames), images: pinned, config, imagesOnly };
}

/** Shorter values are words that are everywhere; a diff hides those of Secrets in any case. */
const SHORTEST_SECRET = 8;

/** The values of the Secrets among the manifests. */
function secretsIn(objects: readonly KubernetesObject[]): readonly string[] {
  const values = objects
    .filter(({ kind }) => kind === "Secret")
    .flatMap((object): readonly unknown[] => {
      const { data, stringData } = object as { data?: object | null; stringData?: object | null };
      const coded = Object.values(data ?? {}).map((value) =>
        Buffer.from(String(value), "base64").toString(),
      );
      return [...coded, ...Object.values(stringData ?? {})];
    });
  return values.map(String).filter((value) => value.length >= SHORTEST_SECRET);
}

/** Works out what is wanted of a cluster, once nobody else changes it. */
export async function wantedOf(
  sources: Sources,
  options: Options,
  cluster: Cluster,
  by: string,
): Promise<Wanted> {
  const { namespace } = options;
  const isOurs = (manager: string) => isPredecessor(manager, options.fieldManager, "Secret");
  const settled = await settleJobConfig(sources.config, cluster, namespace, isOurs);
  const manifests = await withConfig(sources.objects, settled, cluster, namespace);
  const config = settled.map(({ manifest, title }) => ({
    object: manifest as KubernetesObject,
    origin: `the job's ${title}`,
  }));
  return {
    objects: [...config, ...manifests],
    workloads: await liveChanges(sources, settled, options, cluster, by),
    images: sources.images,
  };
}

/** Kinds whose pods may have to be made anew. */
const RUNNING_PODS = new Set([
  "apps/v1 Deployment",
  "apps/v1 StatefulSet",
  "apps/v1 DaemonSet",
  "batch/v1 Job",
  "batch/v1 CronJob",
]);

/** Has pods made anew that read what has changed. */
async function withConfig(
  desired: readonly DesiredObject[],
  settled: readonly SettledConfig[],
  cluster: Cluster,
  namespace: string,
): Promise<readonly DesiredObject[]> {
  const refs = desired.map(({ object }) => refOf(object));
  const workloads = refs
    .filter(({ apiVersion, kind }) => RUNNING_PODS.has(`${apiVersion} ${kind}`))
    .map((ref) => ({ ...ref, namespace: ref.namespace ?? namespace }));
  const live = await findAll(cluster, workloads);
  const liveOf = (object: KubernetesObject) =>
    live({ ...refOf(object), namespace: object.metadata.namespace ?? namespace });
  const objects = withChecksums(
    desired.map(({ object }) => object),
    liveOf,
    settled,
  );
  return desired.map(({ object, origin }, index) => ({ object: objects[index] ?? object, origin }));
}

/** What changes on live workloads that no manifest of this run describes. */
async function liveChanges(
  { objects, images, imagesOnly }: Sources,
  settled: readonly SettledConfig[],
  { namespace, workloads, rollWorkloads, images: map }: Options,
  cluster: Cluster,
  by: string,
): Promise<WorkloadPlan | undefined> {
  const rolls = rollWorkloads === "live" && settled.length > 0;
  if (!rolls && (!imagesOnly || images.length === 0)) return undefined;
  return planWorkloads(cluster, namespace, {
    images: imagesOnly ? (map ?? {}) : {},
    lines: workloads,
    config: rolls ? settled : [],
    by,
    except: objects.map(({ object }) => object),
  });
}

function nothing(): UserError {
  return new UserError({
    title: "There is nothing to deploy",
    cause: "None of manifests, content, images, secrets and config-maps is given.",
    remedy:
      "Name the manifests, or give images alone to put them onto workloads that run already; nothing was changed.",
  });
}

function misplacedLines(hasManifests: boolean): UserError {
  return new UserError({
    title: "There is no use for workloads",
    cause: hasManifests
      ? "workloads says where images go on what runs already, and here they go into the manifests."
      : "workloads says where images go on what runs already, and there are no images.",
    remedy: hasManifests
      ? "Leave it out, and tell by image-names what an image is called in the manifests; or deploy the images alone, in a step without manifests. Nothing was changed."
      : "Give images too, or leave it out; nothing was changed.",
  });
}

function empty(): UserError {
  return new UserError({
    title: "The manifests hold no objects",
    cause: "Everything that was named could be read, and all of it is empty.",
    remedy:
      "Check what is named. To delete what a set had, leave at least one object in it; nothing was changed.",
  });
}
