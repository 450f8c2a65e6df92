import { UserError } from "../failure/index.ts";
import { type ImageReference, parseImage } from "../images/index.ts";
import type { World } from "../world/index.ts";
import { credentialsFor } from "./credentials.ts";
import { type DockerConfig, type Login, readDockerConfig, withLogin } from "./docker-config.ts";
import { Registry } from "./registry.ts";

/** Whether a registry still has an image. */
export interface ImagePresence {
  /** As it was asked for. */
  readonly image: string;
  readonly state: "present" | "gone" | "unknown";
  /** What its name means at the registry now. */
  readonly digest?: string | undefined;
  /** Why it is not known. */
  readonly why?: string | undefined;
}

/** A registry that does not answer must not keep anybody from going back. */
const PATIENCE_MS = 8_000;

/**
 * Asks registries whether they still have images, with the given credentials and those of docker's
 * configuration.
 * Only a registry that answers that there is no such manifest makes an image `gone`; one that
 * cannot be reached from here, or refuses, makes it `unknown`, for the nodes may reach it.
 *
 * @param images as containers name them.
 * @throws the signal's reason when the job is cancelled meanwhile.
 */
export async function imagePresence(
  images: readonly string[],
  world: Asking,
  login?: Login,
): Promise<readonly ImagePresence[]> {
  const found = await readDockerConfig(world.environment);
  const config = login === undefined ? found : withLogin(found, login);
  const different = [...new Set(images)];
  return Promise.all(different.map((image) => presenceOf(image, config, world)));
}

type Asking = Pick<World, "clock" | "secrets" | "environment" | "signal">;

async function presenceOf(
  image: string,
  config: DockerConfig,
  world: Asking,
): Promise<ImagePresence> {
  const reference = parseImage(image);
  if (reference === undefined) return { image, state: "unknown", why: "its name is not valid" };
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([world.signal, patience]);
  try {
    const digest = await ask(reference, config, { ...world, signal });
    return digest === undefined ? { image, state: "gone" } : { image, state: "present", digest };
  } catch (error) {
    world.signal.throwIfAborted();
    if (patience.aborted) {
      const why = `${reference.host} did not answer within ${PATIENCE_MS / 1_000} s`;
      return { image, state: "unknown", why };
    }
    if (!(error instanceof UserError)) throw error;
    return { image, state: "unknown", why: error.cause };
  }
}

async function ask(
  { host, path, tag, digest }: ImageReference,
  config: DockerConfig,
  { clock, secrets, environment, signal }: Asking,
): Promise<string | undefined> {
  const credentials = await credentialsFor(host, config, { signal, secrets });
  using registry = new Registry({ host, credentials, secrets, clock, environment });
  return registry.digestOf(path, digest ?? tag ?? "latest", signal);
}
