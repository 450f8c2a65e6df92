import { describe, UserError } from "../../failure/index.ts";
import { buildxFolder } from "../../registry/index.ts";
import type { Builder, BuilderExecution, StartedBuilder } from "./builder.ts";
import { askDocker, type DockerDaemon, hostOfContext } from "./docker-daemon.ts";
import { makeBuilder } from "./make-builder.ts";
import { type BuilderNotes, currentEndpoint, readNotes } from "./notes.ts";
import { once } from "./once.ts";
import type { BuilderSettings } from "./settings.ts";
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
    return ofTheDaemon(settings, notes, execution);
  }
  return known(settings.builder, notes, execution);
}

async function isContext(name: string, { environment }: BuilderExecution): Promise<boolean> {
  return (await hostOfContext(name, environment)) !== undefined;
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
    start: async () => started(asked, notes.driver, execution),
    async [Symbol.asyncDispose]() {},
  };
}

function started(
  name: string | undefined,
  driver: string | undefined,
  { environment, docker }: BuilderExecution,
): StartedBuilder {
  // A private docker configuration must not hide the builders of the one in use.
  return { name, driver, environment: { ...docker, BUILDX_CONFIG: buildxFolder(environment) } };
}

/**
 * The Docker daemon itself. Where it keeps its images the old way it can push none by digest, add no
 * attestation and rewrite no timestamps, so that a container of BuildKit beside it builds instead.
 */
async function ofTheDaemon(
  settings: BuilderSettings,
  notes: BuilderNotes | undefined,
  execution: BuilderExecution,
): Promise<Builder> {
  const { environment, signal, log } = execution;
  const endpoint =
    notes?.nodes[0]?.endpoint ?? settings.builder ?? (await currentEndpoint(environment));
  const ask = once(() => askDocker(endpoint, environment, signal).catch(unanswering(endpoint)));
  let made: Builder | undefined;
  const substitute = () => {
    made ??= makeBuilder(
      { ...settings, builder: undefined, driver: "docker-container" },
      execution,
    );
    return made;
  };
  const serves = (daemon: DockerDaemon | undefined) => daemon?.keepsWithContainerd !== false;
  return {
    description: "the Docker daemon",
    async version() {
      const daemon = await ask();
      if (!serves(daemon)) return substitute().version();
      return daemon === undefined ? "docker" : `docker ${daemon.version} ${daemon.platform}`;
    },
    async start() {
      const daemon = await ask();
      if (serves(daemon)) return started(settings.builder, "docker", execution);
      log.info(
        `The Docker daemon ${daemon?.version} keeps images without containerd, so that it cannot push by digest, attest or rewrite timestamps: a BuildKit in a container of its own builds instead`,
      );
      return substitute().start();
    },
    async [Symbol.asyncDispose]() {
      await made?.[Symbol.asyncDispose]();
    },
  };
}

function unanswering(endpoint: string) {
  return (error: unknown): never => {
    throw new UserError(
      {
        title: "There is no builder",
        cause: `No builder is set up, and the Docker daemon at ${endpoint} does not answer: ${describe(error)}.`,
        remedy:
          "Start the Docker daemon, name BuildKit's address in the input `buildkit`, or have a builder made by the input `driver`.",
      },
      { reason: error },
    );
  };
}
