import type { Endpoints } from "../../testbed/index.ts";

/** The environment of a step on a runner where docker, buildx and the bed's BuildKit are set up. */
export function builderOf(bed: Endpoints): Record<string, string> {
  return {
    PATH: `${bed.bin}:${process.env.PATH}`,
    DOCKER_CONFIG: bed.dockerConfig,
    BUILDX_BUILDER: "seaworthy",
  };
}
