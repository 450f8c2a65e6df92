import { UserError } from "../../failure/index.ts";
import { buildxFolder } from "../../registry/index.ts";
import type { Builder, BuilderExecution, StartedBuilder } from "./builder.ts";
import { contextExists } from "./docker-context.ts";
import { makeBuilder } from "./make-builder.ts";
import { type BuilderNotes, readNotes } from "./notes.ts";
import { once } from "./once.ts";
import { type BuilderSettings, machinesOf } from "./settings.ts";
import { versionByNotes } from "./version.ts";

/**
 * Chooses the builder that the settings name: one to be made (`driver`, `buildkit`), one that
 * buildx knows (`builder`), or the one in use. Reads files at most; nothing is started.
 */
export async function openBuilder(
  settings: BuilderSettings,
  execution: BuilderExecution,
): Promise<Builder> {
  if (settings.buildkit !== undefined || settings.driver !== undefined) {
    return makeBuilder(settings, execution);
  }
  const notes = await readNotes(settings.builder, execution.environment);
  const { builder } = settings;
  if (notes === undefined && builder !== undefined && !(await isContext(builder, execution))) {
    throw noSuchBuilder(builder);
  }
  if (notes === undefined || notes.driver === "docker") {
    return besideTheDaemon(settings, builder, execution);
  }
  return known(settings.builder, notes, execution);
}

async function isContext(name: string, { environment }: BuilderExecution): Promise<boolean> {
  return name === "default" || (await contextExists(name, environment));
}

function noSuchBuilder(builder: string): UserError {
  return new UserError({
    title: "There is no such builder",
    cause: `buildx knows no builder ${JSON.stringify(builder)} on this runner.`,
    remedy:
      "Run docker/setup-buildx-action before, have one made by the input `driver`, or name BuildKit's address in `buildkit`.",
  });
}

/** One that somebody has made before, such as docker/setup-buildx-action. */
function known(
  asked: string | undefined,
  notes: BuilderNotes,
  execution: BuilderExecution,
): Builder {
  return {
    description: `the builder ${notes.name} (${notes.driver})`,
    version: once(() => versionByNotes(notes, execution)),
    start: async () => ({
      ...started(asked, notes.driver, execution),
      nodes: machinesOf(notes.nodes),
    }),
    async [Symbol.asyncDispose]() {},
  };
}

function started(
  name: string | undefined,
  driver: string | undefined,
  { environment, docker }: BuilderExecution,
): Omit<StartedBuilder, "nodes"> {
  // A private docker configuration must not hide the builders of the one in use.
  return { name, driver, environment: { ...docker, BUILDX_CONFIG: buildxFolder(environment) } };
}

/**
 * The Docker daemon itself can push no image by digest, whatever store it has (buildx: "not
 * implemented for docker driver"), so that a container of BuildKit beside it builds instead.
 */
function besideTheDaemon(
  settings: BuilderSettings,
  context: string | undefined,
  execution: BuilderExecution,
): Builder {
  const endpoint = context === "default" ? undefined : context;
  const nodes = endpoint === undefined ? [] : [{ endpoint, platforms: [], options: {} }];
  const own = { ...settings, builder: undefined, nodes, driver: "docker-container" as const };
  const builder = makeBuilder(own, execution);
  return {
    ...builder,
    start() {
      execution.log.info(
        "The Docker daemon itself cannot push by digest, and no other builder is set up: a BuildKit in a container of its own builds",
      );
      return builder.start();
    },
  };
}
