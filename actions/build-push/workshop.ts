import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Buildx, findBuildx, makeRemoteBuilder } from "../../shared/buildkit/index.ts";
import { codeOf, describe, UserError } from "../../shared/failure/index.ts";
import {
  buildxFolder,
  credentialsFor,
  Registry,
  readDockerConfig,
  withLogin,
  writePrivateConfig,
} from "../../shared/registry/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** All that the builds of one step share, for as long as the step lasts. */
export interface Workshop extends AsyncDisposable {
  readonly buildx: Buildx;
  readonly builder: string | undefined;
  /** For buildx, beside that of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly registry: Registry;
  /** A folder of our own, removed at the end. */
  readonly folder: string;
}

/**
 * Opens the workshop: buildx is found, the password put where only buildx finds it, the remote
 * builder made. Closing it removes every file that this made.
 */
export async function openWorkshop(
  options: Options,
  host: string,
  world: World,
): Promise<Workshop> {
  const { environment: given, secrets, signal, clock } = world;
  const temporary = given.RUNNER_TEMP || tmpdir();
  const folder = await mkdtemp(join(temporary, "build-push-")).catch((error: unknown) => {
    throw unwritable(temporary, error);
  });
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { config, environment } = await dockerSettings(options, host, folder, world);
    const execution = { signal, secrets };
    const [buildx, credentials] = await Promise.all([
      findBuildx(given, config),
      options.push ? credentialsFor(host, config, execution) : undefined,
    ]);
    const builder =
      options.buildkit === undefined
        ? options.builder
        : await makeRemoteBuilder(buildx, options.buildkit, environment, execution);
    const registry = new Registry({ host, credentials, secrets, clock, environment: given });
    const close = () => {
      registry[Symbol.dispose]();
      return remove();
    };
    return { buildx, builder, environment, registry, folder, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw isOfTheDisk(error) ? unwritable(temporary, error) : error;
  }
}

/** Whether the system refused to write, for want of room or of the right to. */
function isOfTheDisk(error: unknown): boolean {
  return /^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EMFILE|ENFILE)$/.test(codeOf(error) ?? "");
}

function unwritable(folder: string, error: unknown): UserError {
  return new UserError(
    {
      title: "The runner's folder for temporary files cannot be used",
      cause: `${folder}: ${describe(error)}.`,
      remedy:
        "Make room on the runner's disk and let the runner's user write there; RUNNER_TEMP names the folder.",
    },
    { reason: error },
  );
}

async function dockerSettings(
  { username, password, buildkit }: Options,
  host: string,
  folder: string,
  { environment: given, secrets }: World,
) {
  const config = await readDockerConfig(given);
  const environment: Record<string, string> = {};
  if (buildkit !== undefined) {
    environment.BUILDX_CONFIG = join(folder, "buildx");
    await mkdir(environment.BUILDX_CONFIG, { mode: 0o700 });
  }
  if (username === undefined || password === undefined) return { config, environment };
  const merged = withLogin(config, { host, username, password });
  for (const { auth = "" } of Object.values(merged.auths ?? {})) secrets.add(auth);
  environment.DOCKER_CONFIG = join(folder, "docker");
  // The builders stay those of the configuration in use.
  environment.BUILDX_CONFIG ??= buildxFolder(given);
  await writePrivateConfig(environment.DOCKER_CONFIG, merged, given);
  return { config: merged, environment };
}
