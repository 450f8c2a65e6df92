import { UserError } from "../../shared/failure/index.ts";
import {
  HelmFailure,
  objectsOf,
  type PlacedImage,
  type Rendering,
  readHistory,
  standingOf,
} from "../../shared/helm/index.ts";
import { repositoryOf, type Workload, workloadsOf } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Facts } from "./facts.ts";
import type { Tools } from "./prepare.ts";

/**
 * Renders the chart before anything is touched, and checks that it uses the images that it was
 * given. A chart that renders by itself is not rendered a second time with what the cluster
 * serves: `helm upgrade` does that, and stops before it changes anything. One that does not gets
 * its chance with the cluster, for it may depend on what is there.
 *
 * @throws {HelmFailure} with the template's file and line when it does not render.
 * @throws {UserError} when the chart makes nothing of an image.
 */
export async function preflight(tools: Tools, world: World, facts: Facts): Promise<void> {
  const { cluster, release, storage, placed } = tools;
  const standing = standingOf(await readHistory(cluster, { ...release, storage }));
  if (standing.state !== "absent") facts.running = standing.good?.revision;
  const rendering = standing.state === "absent" ? "install" : "upgrade";
  const workloads = await rendered(tools, rendering, world);
  for (const image of placed) {
    const use = useOf(image, workloads);
    if (use === "none") throw unused(image, workloads);
    if (use === "tag") world.log.warning(tagOnly(image), "An image is not pinned");
  }
}

async function rendered(
  tools: Tools,
  rendering: Rendering,
  world: World,
): Promise<readonly Workload[]> {
  const { helm, chart, values, placed, release } = tools;
  const read = (manifest: string) => workloadsOf(objectsOf(manifest), release.namespace);
  try {
    const workloads = read(await tools.rendered);
    if (placed.every((image) => useOf(image, workloads) !== "none")) return workloads;
  } catch (error) {
    if (!(error instanceof HelmFailure) || !["render", "other"].includes(error.kind)) throw error;
  }
  return read(await helm.template(chart, values, rendering, world.signal));
}

/** Whether the workloads name an image by its digest, only by its repository, or not at all. */
export function useOf(
  { repository, digest }: Pick<PlacedImage, "repository" | "digest">,
  workloads: readonly Workload[],
): "digest" | "tag" | "none" {
  const images = workloads.flatMap(({ containers }) => containers.map(({ image }) => image));
  if (images.some((image) => image.endsWith(`@${digest}`))) return "digest";
  return images.some((image) => repositoryOf(image) === repository) ? "tag" : "none";
}

function unused({ service, path, repository }: PlacedImage, workloads: readonly Workload[]) {
  const images = workloads.flatMap(({ kind, name, containers }) =>
    containers.map(({ image }) => `${kind.toLowerCase()}/${name}: ${image}`),
  );
  return new UserError({
    title: "The chart makes nothing of an image",
    cause: `The image of ${service} was put at ${path}, but no container of the rendered chart runs ${repository}.`,
    remedy:
      "Check that a template reads that value, or name another place with `image-values`; nothing was changed.",
    ...(images.length === 0 ? {} : { evidence: images.join("\n") }),
  });
}

function tagOnly({ service, path, tag }: PlacedImage): string {
  return (
    `The chart runs ${service} by its tag ${tag ?? ""}, not by the digest at ${path}.digest: a tag can be moved. ` +
    "Which image the pods run is checked after the rollout."
  );
}
