import { UserError } from "../../shared/failure/index.ts";
import type { PlacedImage } from "../../shared/helm/index.ts";
import { repositoryOf, type Workload } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";

/**
 * Checks that the rendered chart runs the images that were put into its values.
 *
 * @throws {UserError} when it makes nothing of one.
 */
export function checkImages(
  placed: readonly PlacedImage[],
  workloads: readonly Workload[],
  { log }: Pick<World, "log">,
): void {
  for (const image of placed) {
    const use = useOf(image, workloads);
    if (use === "none") throw unused(image, workloads);
    if (use === "tag") log.warning(tagOnly(image), "An image is not pinned");
  }
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
