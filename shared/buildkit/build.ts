import { readFile } from "node:fs/promises";
import { UserError } from "../failure/index.ts";
import { isDigest, nameOf, type Repository } from "../images/index.ts";
import { CommandFailed, type Execution, execute } from "../process/index.ts";
import type { BuildEvent, StepCounts } from "./build-event.ts";
import { buildFailure } from "./build-failure.ts";
import type { BuildSecret } from "./build-secret.ts";
import { type Buildx, dial, endpointOf, UNANSWERED_MS, unanswered } from "./builder.ts";
import type { BuildSubject } from "./known-failures.ts";
import { BuildProgress } from "./progress.ts";

/** One image to build. Paths are absolute. */
export interface BuildRequest {
  readonly name: string;
  readonly context: string;
  readonly dockerfile: string;
  /** The Dockerfile relative to the workspace, as messages show it. */
  readonly dockerfileShown: string;
  readonly target: string | undefined;
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly secrets: readonly BuildSecret[];
  readonly platforms: readonly string[];
  readonly repository: Repository;
  readonly tags: readonly string[];
  readonly push: boolean;
  /** Name of a buildx builder; the current one when left out. */
  readonly builder: string | undefined;
  readonly provenance: "min" | "max" | "off";
  readonly sbom: boolean;
  /** Where buildx is to write what it made. */
  readonly metadataFile: string;
}

export interface Built {
  /** As buildx says; undefined when it says none. */
  readonly digest: string | undefined;
  readonly steps: StepCounts;
}

export interface BuildExecution extends Execution {
  readonly buildx: Buildx;
  /** For buildx, beside that of this process. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onEvent: (event: BuildEvent) => void;
}

/**
 * Builds one image with buildx, and pushes it when asked to.
 *
 * @throws {UserError} when it does not build, with the Dockerfile's line, or cannot be pushed.
 */
export async function build(request: BuildRequest, execution: BuildExecution): Promise<Built> {
  const progress = new BuildProgress(execution.onEvent);
  const subject = subjectOf(request);
  const silent = new AbortController();
  using watch = watchConnection(request, progress, execution, silent);
  const { buildx, environment, signal } = execution;
  const command = {
    program: buildx.program,
    args: [...buildx.args, ...buildArguments(request)],
    // The metadata file is read for its digest alone; provenance in it costs another request.
    environment: { ...environment, BUILDX_METADATA_PROVENANCE: "disabled" },
  };
  watch.look();
  try {
    await execute(command, {
      ...execution,
      signal: AbortSignal.any([signal, silent.signal]),
      keep: 4_096,
      onLine: (line) => {
        progress.read(line);
        watch.look();
      },
    });
  } catch (error) {
    signal.throwIfAborted();
    if (silent.signal.aborted) throw silent.signal.reason;
    throw error instanceof CommandFailed ? explain(error, subject, progress) : error;
  }
  const digest = request.push ? await digestIn(request.metadataFile) : undefined;
  return { digest, steps: progress.steps };
}

function subjectOf({ name, dockerfileShown, repository, builder }: BuildRequest): BuildSubject {
  return { name, dockerfile: dockerfileShown, image: nameOf(repository), builder };
}

/** The arguments of `buildx build`; every one of the user's texts is a word of its own. */
export function buildArguments(request: BuildRequest): string[] {
  const { builder, target, platforms, provenance } = request;
  return [
    "build",
    "--progress=rawjson",
    `--metadata-file=${request.metadataFile}`,
    `--file=${request.dockerfile}`,
    ...(builder === undefined ? [] : [`--builder=${builder}`]),
    ...(target === undefined ? [] : [`--target=${target}`]),
    ...(platforms.length === 0 ? [] : [`--platform=${platforms.join(",")}`]),
    ...Object.entries(request.buildArgs).map(([name, value]) => `--build-arg=${name}=${value}`),
    ...request.secrets.map((secret) => `--secret=${secretArgument(secret)}`),
    // Not said when it is min: buildx then adds it where the builder can, and fails nowhere.
    ...(provenance === "max" ? ["--provenance=mode=max"] : []),
    ...(provenance === "off" ? ["--provenance=false"] : []),
    ...(request.sbom ? ["--sbom=true"] : []),
    ...(request.push
      ? ["--push", ...request.tags.map((tag) => `--tag=${nameOf(request.repository)}:${tag}`)]
      : ["--output=type=cacheonly"]),
    request.context,
  ];
}

function secretArgument(secret: BuildSecret): string {
  const fields = [
    `id=${secret.id}`,
    "variable" in secret ? `env=${secret.variable}` : `src=${secret.file}`,
  ];
  // buildx reads it as a line of CSV.
  return fields
    .map((field) => (/[",\s]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(",");
}

/** Gives up on a BuildKit that nobody can reach long before buildx does, and says why. */
function watchConnection(
  { builder }: BuildRequest,
  progress: BuildProgress,
  { environment }: BuildExecution,
  silent: AbortController,
) {
  let timer: NodeJS.Timeout | undefined;
  const ask = async () => {
    const address = await endpointOf(builder, { ...process.env, ...environment });
    const error = address === undefined ? undefined : await dial(address);
    if (error === undefined || address === undefined || !progress.waitsForBuilder) return;
    silent.abort(unanswered(address, error));
  };
  return {
    look() {
      if (timer !== undefined || !progress.waitsForBuilder) return;
      timer = setTimeout(() => ask().catch((error) => silent.abort(error)), UNANSWERED_MS);
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}

function explain(error: CommandFailed, subject: BuildSubject, progress: BuildProgress): UserError {
  if (error.why === "deadline") {
    const at = progress.stopped === undefined ? "" : `, at: ${progress.stopped}`;
    return new UserError({
      title: `${subject.name}: the build took too long`,
      cause: `It was ended after ${Math.round(error.milliseconds / 1_000)} s, its timeout${at}.`,
      remedy: "Give the input timeout more, or make that step quicker.",
    });
  }
  if (error.why !== "exit") {
    return new UserError({
      title: `${subject.name}: buildx did not end by itself`,
      cause: `${error.message}.`,
      remedy: "Look at the runner's memory and at what else ends programs there.",
    });
  }
  return buildFailure(subject, progress);
}

async function digestIn(metadataFile: string): Promise<string | undefined> {
  try {
    const metadata = JSON.parse(await readFile(metadataFile, "utf8")) as Record<string, unknown>;
    const digest = metadata["containerimage.digest"];
    return typeof digest === "string" && isDigest(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}
