import { access, readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { BakeTarget } from "../buildkit/index.ts";
import { isLoopback } from "../images/index.ts";
import { dockerFolder } from "../registry/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /\b(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):\d{1,5}(?=\/)/g;

/**
 * The environment in which buildah finds what docker and BuildKit find: docker's credentials, Docker
 * Hub for names without a host, and registries of this machine by plain HTTP. Written into a folder
 * of ours; the machine's own settings stand before.
 */
export async function surroundings(
  targets: readonly BakeTarget[],
  dockerfiles: readonly string[],
  folder: string,
  environment: Environment,
): Promise<Readonly<Record<string, string | undefined>>> {
  const [auth, registries] = await Promise.all([
    authFile(folder, environment),
    registriesFile(loopbacks(targets, dockerfiles), folder, environment),
  ]);
  // buildah fails where that folder has no config.json, which docker bears.
  return { DOCKER_CONFIG: undefined, REGISTRY_AUTH_FILE: auth, ...registries };
}

async function authFile(folder: string, environment: Environment): Promise<string> {
  if (environment.REGISTRY_AUTH_FILE) return environment.REGISTRY_AUTH_FILE;
  const file = join(dockerFolder(environment), "config.json");
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) return file;
  const empty = join(folder, "auth.json");
  await writeFile(empty, "{}", { mode: 0o600 });
  return empty;
}

function loopbacks(targets: readonly BakeTarget[], dockerfiles: readonly string[]): string[] {
  const texts = targets.flatMap(({ buildArgs = {}, contexts = {} }) => [
    ...Object.values(buildArgs).map((value) => `${value}/`),
    ...Object.values(contexts),
  ]);
  const found = [...texts, ...dockerfiles].flatMap((text) => text.match(LOOPBACK) ?? []);
  return [...new Set(found)].filter((host) => isLoopback(host));
}

async function registriesFile(
  hosts: readonly string[],
  folder: string,
  environment: Environment,
): Promise<Readonly<Record<string, string>>> {
  const home = environment.HOME || homedir();
  const places = environment.CONTAINERS_REGISTRIES_CONF
    ? [environment.CONTAINERS_REGISTRIES_CONF]
    : [join(home, ".config/containers/registries.conf"), "/etc/containers/registries.conf"];
  const texts = await Promise.all(places.map((file) => readFile(file, "utf8").catch(() => "")));
  const text = withDockersRules(texts.find((each) => each !== "") ?? "", hosts);
  if (text === undefined) return {};
  const file = join(folder, "registries.conf");
  await writeFile(file, text, { mode: 0o600 });
  return { CONTAINERS_REGISTRIES_CONF: file };
}

/**
 * A registries.conf with what docker takes for granted added; undefined where it is of the old
 * form, which cannot be mixed with the new one. Source: containers-registries.conf(5).
 */
export function withDockersRules(text: string, hosts: readonly string[]): string | undefined {
  if (/^\s*\[registries\./m.test(text)) return undefined;
  const search = /^\s*unqualified-search-registries\s*=/m.test(text)
    ? ""
    : 'unqualified-search-registries = ["docker.io"]\n';
  const known = (host: string) => text.includes(`"${host}"`);
  const insecure = hosts
    .filter((host) => !known(host))
    .map((host) => `\n[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  return `${search}${text}${insecure.join("")}`;
}
