import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf, describe, UserError } from "../../shared/failure/index.ts";
import { type Credentials, Registries } from "../../shared/registry/index.ts";
import { type SignedIn, signIn } from "../../shared/sign-in/index.ts";
import type { World } from "../../shared/world/index.ts";
import { type Bakery, openBakery } from "./bakery.ts";
import { DockerSettings } from "./docker-settings.ts";
import type { Options } from "./inputs.ts";

/** All that the services of one step share, for as long as the step lasts. */
export interface Workshop extends AsyncDisposable {
  readonly builder: Bakery;
  readonly docker: DockerSettings;
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
    const docker = await DockerSettings.open(folder, world.environment);
    const signedIn = await signInAt(hosts, options, docker, world);
    const registries = new Registries({
      credentials: async (host) => {
        const known = signedIn.find((each) => each.host === host);
        // Whoever is asked without credentials is not looked for a second time.
        if (known !== undefined) return known.credentials;
        return signInToRead(host, options, docker, world);
      },
      secrets: world.secrets,
      clock: world.clock,
      environment: world.environment,
    });
    const builder = await openBakery(options, { docker, folder, registries }, world);
    const close = async () => {
      registries[Symbol.dispose]();
      try {
        await builder[Symbol.asyncDispose]();
      } finally {
        await remove();
        docker[Symbol.dispose]();
      }
    };
    return { builder, docker, registries, folder, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw isOfTheDisk(error) ? unwritable(temporary, error) : error;
  }
}

/** Signs in at each registry that is pushed to. */
async function signInAt(
  hosts: readonly string[],
  options: Options,
  docker: DockerSettings,
  world: World,
): Promise<readonly SignedIn[]> {
  // A pull request from a fork has neither secrets nor an identity, and pushes nothing.
  const optional = !options.push || options.mode === "plan";
  const signedIn = await Promise.all(
    hosts.map((host, at) => {
      const { username, password, ...rest } = options;
      const others = { ...rest, optional };
      const settings = at === 0 ? { ...others, username, password } : others;
      return signIn(host, settings, docker.found, world);
    }),
  );
  for (const { told, login } of signedIn) {
    world.log.info(told);
    docker.add(login);
  }
  await docker.write();
  return signedIn;
}

/** Signs in at a registry that nothing is pushed to: base images are read there. */
async function signInToRead(
  host: string,
  options: Options,
  docker: DockerSettings,
  world: World,
): Promise<Credentials | undefined> {
  const { username: _, password: __, ...rest } = options;
  const { credentials, login } = await signIn(
    host,
    { ...rest, optional: true },
    docker.found,
    world,
  );
  docker.add(login);
  return credentials;
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
