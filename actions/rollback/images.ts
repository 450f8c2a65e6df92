import { UserError } from "../../shared/failure/index.ts";
import { parseRegistry } from "../../shared/images/index.ts";
import type { KubernetesObject } from "../../shared/kubernetes/index.ts";
import { type ImagePresence, imagePresence, type Login } from "../../shared/registry/index.ts";
import { workloadsOf } from "../../shared/workload/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/**
 * Asks the registries for the images that would be gone back to.
 *
 * @throws {UserError} when one is no longer there: its pods could not start.
 */
export async function checkImages(
  after: readonly KubernetesObject[],
  options: Options,
  world: World,
): Promise<readonly ImagePresence[]> {
  const images = workloadsOf(after, "").flatMap(({ containers }) =>
    containers.map(({ image }) => image),
  );
  const presence = await imagePresence(images, world, loginOf(options));
  const gone = presence.filter(({ state }) => state === "gone").map(({ image }) => image);
  if (gone.length > 0) {
    throw new UserError({
      title: "An image to go back to is gone",
      cause: `The registry no longer has ${gone.join(", ")}.`,
      remedy:
        "Choose another revision with the input `to`, or build and push that version again. Nothing was changed.",
    });
  }
  for (const { image, why } of presence.filter(({ state }) => state === "unknown")) {
    world.log.warning(
      `Whether the registry still has ${image} could not be checked: ${why}`,
      "An image was not checked",
    );
  }
  return presence;
}

/** @throws {UserError} for credentials without the registry that they are for. */
function loginOf({ registry, username, password }: Options): Login | undefined {
  if (username === undefined || password === undefined) return undefined;
  const place = parseRegistry(registry ?? "");
  if ("problem" in place) {
    throw new UserError({
      title: "Credentials without a registry",
      cause: `A username and a password were given, but the input registry names none: ${place.problem}.`,
      remedy: "Set `registry` to the host that they are for, such as ghcr.io. Nothing was changed.",
    });
  }
  return { host: place.host, username, password };
}
