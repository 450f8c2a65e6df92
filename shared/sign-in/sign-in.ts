import { UserError } from "../failure/index.ts";
import {
  type Credentials,
  credentialsFor,
  type DockerConfig,
  type Login,
} from "../registry/index.ts";
import { cloudOf } from "./cloud.ts";
import type { SignInSettings, SignInWorld } from "./settings.ts";

/** How a registry is asked from now on. */
export interface SignedIn {
  readonly host: string;
  /** For a `Registry`; undefined where it is asked without. */
  readonly credentials: Credentials | undefined;
  /**
   * To be put into a docker configuration of our own, for programs; undefined where docker's
   * configuration has it already, or there is nothing.
   */
  readonly login: Login | undefined;
  /** A sentence for the log: what was used, and where nothing was, what was looked for. */
  readonly told: string;
}

/**
 * Finds out how to sign in to a registry: by the username and password given, else as docker's
 * configuration says, its credential helpers included, else with the cloud whose registry it is,
 * else not at all. Everything secret is hidden as soon as it is known.
 *
 * @throws {UserError} when something was given or found and does not work.
 */
export async function signIn(
  host: string,
  settings: SignInSettings,
  config: DockerConfig,
  world: SignInWorld,
): Promise<SignedIn> {
  const { secrets, signal } = world;
  const { username, password } = settings;
  if (username !== undefined && password !== undefined) {
    return withPassword({ host, username, password }, `as ${username}, by the inputs`, world);
  }
  const isHalf = username !== undefined || password !== undefined;
  if (isHalf && settings.optional !== true) throw half(username);
  const credentials = await credentialsFor(host, config, { signal, secrets });
  if (credentials !== undefined) {
    const who = credentials.kind === "password" ? ` as ${credentials.username}` : "";
    const told = `${host}: signed in${who}, by docker's configuration`;
    return { host, credentials, login: undefined, told };
  }
  const cloud = cloudOf(host, world.environment);
  if (cloud === undefined)
    return anonymous(host, "docker's configuration has no credentials for it");
  if (cloud.kind === "github") return byJobToken(host, settings.token, world);
  const { signInToCloud } = await import("./clouds.ts");
  const account = await signInToCloud(host, cloud, settings, world).catch((error: unknown) => {
    if (settings.optional !== true || !(error instanceof UserError)) throw error;
    return { looked: error.cause };
  });
  if ("looked" in account) return anonymous(host, account.looked);
  return withPassword({ host, ...account }, `by ${account.by}`, world);
}

function byJobToken(host: string, token: string | undefined, world: SignInWorld): SignedIn {
  if (!token) return anonymous(host, "the job's token was not given");
  const username = world.environment.GITHUB_ACTOR || "github-actions";
  return withPassword(
    { host, username, password: token },
    `as ${username}, by the job's token`,
    world,
  );
}

function withPassword(login: Login, how: string, { secrets }: SignInWorld): SignedIn {
  const { host, username, password } = login;
  secrets.add(password);
  secrets.add(Buffer.from(`${username}:${password}`).toString("base64"));
  return {
    host,
    credentials: { kind: "password", username, password },
    login: { host, username, password },
    told: `${host}: signed in ${how}`,
  };
}

function anonymous(host: string, why: string): SignedIn {
  const told = `${host}: asked without credentials; ${why}`;
  return { host, credentials: undefined, login: undefined, told };
}

function half(username: string | undefined): UserError {
  const [given, missing] =
    username === undefined ? ["password", "username"] : ["username", "password"];
  return new UserError({
    title: "One input is missing",
    cause: `${given} is given, and ${missing} is not; an empty secret counts as not given.`,
    remedy: "Give both, or neither to use what the job has.",
  });
}
