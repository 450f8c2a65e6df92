import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { buildxFolder, dockerFolder } from "../../registry/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What buildx has noted of a builder. */
export interface BuilderNotes {
  readonly name: string;
  readonly driver: string;
  readonly nodes: readonly {
    readonly endpoint: string | undefined;
    readonly platforms: readonly string[];
    readonly options: Readonly<Record<string, string>>;
  }[];
}

interface Instance {
  readonly Name?: string;
  readonly Driver?: string;
  readonly Nodes?: readonly {
    readonly Endpoint?: string;
    readonly Platforms?: readonly { os?: string; architecture?: string; variant?: string }[] | null;
    readonly DriverOpts?: Readonly<Record<string, string>> | null;
  }[];
}

/** A file of buildx's that says which builder was chosen by `buildx use`. */
interface Current {
  readonly Key?: string;
  readonly Name?: string;
  readonly Global?: boolean;
}

/**
 * Reads in buildx's own folder which builder it would use, and what that is made of, without
 * starting it. The files are its private affair: what is not there or not as expected gives
 * undefined, which stands for the Docker daemon itself or for a builder that is not known.
 */
export async function readNotes(
  builder: string | undefined,
  environment: Environment,
): Promise<BuilderNotes | undefined> {
  const folder = buildxFolder(environment);
  try {
    const name =
      builder ?? (environment.BUILDX_BUILDER || (await currentName(folder, environment)));
    if (!/^[\w.-]+$/.test(name)) return undefined;
    const { Driver = "", Nodes = [] } = await readJson<Instance>(join(folder, "instances", name));
    const nodes = Nodes.map(({ Endpoint, Platforms, DriverOpts }) => ({
      endpoint: Endpoint,
      platforms: (Platforms ?? []).map(({ os, architecture, variant }) =>
        [os, architecture, variant].filter(Boolean).join("/"),
      ),
      options: DriverOpts ?? {},
    }));
    return { name, driver: Driver, nodes };
  } catch {
    return undefined;
  }
}

/** The chosen builder: for all daemons, for the one in use, or by `buildx use --default` for it. */
async function currentName(folder: string, environment: Environment): Promise<string> {
  const endpoint = await currentEndpoint(environment);
  const { Key, Name, Global } = await readJson<Current>(join(folder, "current"));
  if (Name && (Global === true || Key === endpoint)) return Name;
  const hash = createHash("sha256").update(endpoint).digest("hex").slice(0, 20);
  return readFile(join(folder, "defaults", hash), "utf8");
}

/** The daemon that docker would talk to: the name of a context, or an address. */
async function currentEndpoint(environment: Environment): Promise<string> {
  const { DOCKER_CONTEXT: context, DOCKER_HOST: host } = environment;
  if (host) return host;
  const named = context || (await contextInConfig(environment));
  return named === undefined || named === "default" ? DEFAULT_DAEMON : named;
}

const DEFAULT_DAEMON = "unix:///var/run/docker.sock";

async function contextInConfig(environment: Environment): Promise<string | undefined> {
  const file = join(dockerFolder(environment), "config.json");
  const config = await readJson<{ currentContext?: string }>(file).catch(() => undefined);
  return config?.currentContext || undefined;
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}
