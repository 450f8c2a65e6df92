import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, describe, UserError } from "../../shared/failure/index.ts";
import { leash } from "../../shared/process/index.ts";
import {
  buildxFolder,
  type DockerConfig,
  Registries,
  readDockerConfig,
  withLogin,
  writePrivateConfig,
} from "../../shared/registry/index.ts";
import { type SignedIn, signIn } from "../../shared/sign-in/index.ts";
import type { World } from "../../shared/world/index.ts";
import { type Bakery, openBakery } from "./bakery.ts";
import type { Options } from "./inputs.ts";

/** All that the services of one step share, for as long as the step lasts. */
export interface Workshop extends AsyncDisposable {
  readonly builder: Bakery;
  /** For docker, buildx and what else reads docker's configuration, beside that of this process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly registries: Registries;
  /** A folder of our own, removed at the end. */
  readonly folder: string;
}

/**
 * Opens the workshop: signs in to the registries that are pushed to, puts the passwords where only
 * the step's programs find them, and chooses the builder, which is started by the first build.
 * Closing it removes every file that this made.
 *
 * @param hosts the registries that are pushed to; that of the inputs username and password first.
 */
export async function openWorkshop(
  options: Options,
  hosts: readonly string[],
  world: World,
): Promise<Workshop> {
  const temporary = world.environment.RUNNER_TEMP || tmpdir();
  const folder = await mkdtemp(join(temporary, "build-push-")).catch((error: unknown) => {
    throw unwritable(temporary, error);
  });
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const { config, environment, signedIn } = await signInAt(hosts, options, folder, world);
    // A step that is killed must leave no password behind.
    const holding = environment.DOCKER_CONFIG === undefined ? undefined : leash({ folder });
    const registries = new Registries({
      credentials: async (host) => {
        const known = signedIn.find((each) => each.host === host);
        // Of a registry that nothing is pushed to, base images are read.
        const reading = { token: options.token, optional: true };
        return (known ?? (await signIn(host, reading, config, world))).credentials;
      },
      secrets: world.secrets,
      clock: world.clock,
      environment: world.environment,
    });
    const builder = await openBakery(
      options,
      { config, docker: environment, folder, registries },
      world,
    );
    const close = async () => {
      registries[Symbol.dispose]();
      try {
        await builder[Symbol.asyncDispose]();
      } finally {
        await remove();
        holding?.[Symbol.dispose]();
      }
    };
    return { builder, environment, registries, folder, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw isOfTheDisk(error) ? unwritable(temporary, error) : error;
  }
}

/** Signs in at each registry, and writes what programs need of that into a private folder. */
async function signInAt(
  hosts: readonly string[],
  options: Options,
  folder: string,
  world: World,
): Promise<{
  readonly config: DockerConfig;
  readonly environment: Readonly<Record<string, string>>;
  readonly signedIn: readonly SignedIn[];
}> {
  const found = await readDockerConfig(world.environment);
  // A pull request from a fork has neither secrets nor an identity, and pushes nothing.
  const optional = !options.push || options.mode === "plan";
  const signedIn = await Promise.all(
    hosts.map((host, at) => {
      const { username, password, ...rest } = options;
      const others = { ...rest, optional };
      const settings = at === 0 ? { ...others, username, password } : others;
      return signIn(host, settings, found, world);
    }),
  );
  for (const { told } of signedIn) world.log.info(told);
  const logins = signedIn.flatMap(({ login }) => login ?? []);
  if (logins.length === 0) return { config: found, environment: {}, signedIn };
  const config = logins.reduce(withLogin, found);
  const folders = {
    DOCKER_CONFIG: join(folder, "docker"),
    // The builders stay those of the configuration in use.
    BUILDX_CONFIG: buildxFolder(world.environment),
  };
  await mkdir(folders.DOCKER_CONFIG, { mode: 0o700 });
  await writePrivateConfig(folders.DOCKER_CONFIG, config, world.environment);
  return { config, environment: folders, signedIn };
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
