import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { codeOf, describe, UserError } from "../failure/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of docker's config.json that concern us; the others are kept as they are. */
export interface DockerConfig {
  readonly auths?: Readonly<Record<string, DockerAuth>> | undefined;
  readonly credHelpers?: Readonly<Record<string, string>> | undefined;
  readonly credsStore?: string | undefined;
  readonly cliPluginsExtraDirs?: readonly string[] | undefined;
}

interface DockerAuth {
  /** base64 of `user:password`. */
  readonly auth?: string;
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
}

/** The folder of docker's configuration. */
export function dockerFolder(environment: Environment): string {
  return environment.DOCKER_CONFIG || join(environment.HOME || homedir(), ".docker");
}

/** The folder where buildx keeps its builders. */
export function buildxFolder(environment: Environment): string {
  return environment.BUILDX_CONFIG || join(dockerFolder(environment), "buildx");
}

/**
 * Docker's configuration; an empty one when there is none.
 *
 * @throws {UserError} when the file is there and cannot be read.
 */
export async function readDockerConfig(environment: Environment): Promise<DockerConfig> {
  const file = join(dockerFolder(environment), "config.json");
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return typeof value === "object" && value !== null ? (value as DockerConfig) : {};
  } catch (error) {
    if (codeOf(error) === "ENOENT") return {};
    throw new UserError(
      {
        title: "Docker's configuration cannot be read",
        cause: `${file}: ${describe(error)}.`,
        remedy: "Mend or remove the file, or point DOCKER_CONFIG at another folder.",
      },
      { reason: error },
    );
  }
}

/** The name under which docker keeps the credentials of a registry. */
export function credentialKey(host: string): string {
  return host === "docker.io" ? "https://index.docker.io/v1/" : host;
}

export interface Login {
  readonly host: string;
  readonly username: string;
  readonly password: string;
}

/** The configuration with the credentials of one registry put in. */
export function withLogin(config: DockerConfig, login: Login): DockerConfig {
  const key = credentialKey(login.host);
  const auth = Buffer.from(`${login.username}:${login.password}`).toString("base64");
  return {
    ...config,
    auths: { ...config.auths, [key]: { auth } },
    // The empty name keeps docker from asking a credential store for this registry.
    credHelpers: { ...config.credHelpers, [key]: "" },
  };
}

/**
 * Makes a folder of docker configuration that adds credentials to the one in use and shares all
 * else with it (plugins, contexts), so that a password needs neither `docker login` nor a place
 * that outlives the step.
 */
export async function writePrivateConfig(
  folder: string,
  config: DockerConfig,
  environment: Environment,
): Promise<void> {
  const original = dockerFolder(environment);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = await readdir(original).catch(() => []);
  const shared = names.filter((name) => name !== "config.json");
  await Promise.all(shared.map((name) => symlink(join(original, name), join(folder, name))));
  await writeFile(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
}
