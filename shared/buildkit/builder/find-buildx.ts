import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { UserError } from "../../failure/index.ts";
import { type DockerConfig, dockerFolder } from "../../registry/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** How buildx is called here. */
export interface Buildx {
  readonly program: string;
  readonly args: readonly string[];
}

// Where docker looks for plugins, after its own configuration. Source: docker/cli, manager_unix.go.
const PLUGIN_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/**
 * Finds buildx: docker's plugin, else the program on the PATH. Looks at files only, for asking
 * `docker buildx version` would cost a tenth of a second.
 *
 * @throws {UserError} when there is neither.
 */
export async function findBuildx(environment: Environment, config: DockerConfig): Promise<Buildx> {
  const plugins = [
    join(dockerFolder(environment), "cli-plugins"),
    ...(config.cliPluginsExtraDirs ?? []),
    ...PLUGIN_FOLDERS,
  ];
  const path = (environment.PATH ?? "").split(delimiter);
  const [docker, plugin, standalone] = await Promise.all([
    holds(path, "docker"),
    holds(plugins, "docker-buildx"),
    holds(path, "buildx"),
  ]);
  if (docker && plugin) return { program: "docker", args: ["buildx"] };
  if (standalone) return { program: "buildx", args: [] };
  throw new UserError({
    title: "buildx is not there",
    cause: docker
      ? "docker is on the PATH, but its plugin buildx is in none of the folders where docker looks."
      : "Neither docker nor buildx is on the PATH.",
    remedy: "Run docker/setup-buildx-action in a step before, or install buildx 0.13 or later.",
  });
}

async function holds(folders: readonly string[], program: string): Promise<boolean> {
  const there = folders.map((folder) => access(join(folder, program), constants.X_OK));
  return Promise.any(there).then(
    () => true,
    () => false,
  );
}
