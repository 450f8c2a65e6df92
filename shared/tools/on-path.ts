import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import type { Tool } from "./choose.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Where docker looks for plugins after its own folder. Source: docker/cli, manager_unix.go. */
const PLUGIN_FOLDERS = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** The folder in which a user's own plugins of docker's are. */
export function dockerPluginFolder(environment: Environment): string {
  const docker = environment.DOCKER_CONFIG || join(environment.HOME || homedir(), ".docker");
  return join(docker, "cli-plugins");
}

/**
 * Where a tool is on this machine already: all of its programs in folders of the PATH, or as
 * docker's plugin. The path is that of the first program, which later steps would run.
 */
export async function findOnPath(
  tool: Tool,
  environment: Environment,
): Promise<string | undefined> {
  const [first, ...others] = tool.programs;
  // An empty entry of the PATH is the working folder: the checkout, which anyone may write to.
  const folders = (environment.PATH ?? "").split(delimiter).filter(isAbsolute);
  if (tool.dockerPlugin !== undefined) {
    const plugins = [dockerPluginFolder(environment), ...PLUGIN_FOLDERS];
    const plugin = await firstIn(plugins, tool.dockerPlugin);
    // Where docker is, a program that it does not find is of no use to it.
    if (plugin !== undefined || (await firstIn(folders, "docker")) !== undefined) return plugin;
  }
  const found = await firstIn(folders, first);
  const rest = await Promise.all(others.map((program) => firstIn(folders, program)));
  return rest.includes(undefined) ? undefined : found;
}

async function firstIn(folders: readonly string[], program: string): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, program);
    if (await isProgram(path)) return path;
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(await realpath(path))).isFile();
  } catch {
    // Absent, or behind a folder that may not be entered: as good as absent.
    return false;
  }
}
