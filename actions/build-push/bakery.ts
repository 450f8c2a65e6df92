import {
  type BakeResult,
  type BakeTarget,
  type BuilderExecution,
  findBuildx,
  openBuilder,
} from "../../shared/buildkit/index.ts";
import type { Registries } from "../../shared/registry/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { BakeOrder } from "./bake-by-buildx.ts";
import { builderSettings } from "./builder-settings.ts";
import type { DockerSettings } from "./docker-settings.ts";
import type { Options } from "./inputs.ts";

/** What builds the images of a step: BuildKit by buildx, or buildah. */
export interface Bakery extends AsyncDisposable {
  /** What it is, for the log. */
  readonly description: string;
  /** Whether it adds provenance to images where nobody insists on it. */
  readonly attests: boolean;
  /** What images depend on of it, for their content keys. */
  version(): Promise<string>;
  /**
   * Builds all targets; the builder is started by the first of them. What a user can act on is the
   * `failure` of each target that it concerns.
   */
  bake(targets: readonly BakeTarget[], order: BakeOrder): Promise<readonly BakeResult[]>;
}

/** Where a bakery works. */
export interface BakeryGround {
  readonly docker: Pick<DockerSettings, "found" | "environment">;
  /** A private folder, there as long as the bakery is. */
  readonly folder: string;
  readonly registries: Registries;
}

/**
 * Opens what builds. Where there is neither docker nor buildx and nothing of theirs is asked for,
 * buildah is taken if it is there.
 *
 * @throws {UserError} when nothing that builds is there.
 */
export async function openBakery(
  options: Options,
  ground: BakeryGround,
  world: World,
): Promise<Bakery> {
  if (options.driver === "buildah") return ofBuildah(options, ground, world);
  const found = await findBuildx(world.environment, ground.docker.found).catch(async (missing) => {
    const { builder, buildkit, driver } = options;
    if ((builder ?? buildkit ?? driver) !== undefined) throw missing;
    return ofBuildah(options, ground, world).catch(() => {
      throw missing;
    });
  });
  if ("bake" in found) return found;
  const execution: BuilderExecution = {
    buildx: found,
    environment: world.environment,
    docker: ground.docker.environment,
    folder: ground.folder,
    log: world.log,
    secrets: world.secrets,
    signal: world.signal,
    aftermath: world.aftermath,
  };
  const builder = await openBuilder(await builderSettings(options, world), execution);
  return {
    description: builder.description,
    attests: true,
    version: () => builder.version(),
    async bake(targets, order) {
      const { bakeBy } = await import("./bake-by-buildx.ts");
      return bakeBy(
        builder,
        targets,
        order,
        { ...execution, registries: ground.registries },
        world,
      );
    },
    [Symbol.asyncDispose]: () => builder[Symbol.asyncDispose](),
  };
}

async function ofBuildah(options: Options, ground: BakeryGround, world: World): Promise<Bakery> {
  const { openBuildah } = await import("../../shared/buildah/index.ts");
  const { environment, secrets, signal, clock, log } = world;
  const buildah = await openBuildah(options.driverOpts ?? {}, {
    ...ground,
    docker: ground.docker.environment,
    ...{ environment, secrets, signal, clock, log },
  });
  return {
    description: buildah.description,
    attests: false,
    version: () => buildah.version(),
    bake: (targets, order) => buildah.bake(targets, order),
    async [Symbol.asyncDispose]() {},
  };
}
