import { access, constants, readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { load } from "js-yaml";
import { UserError } from "../failure/index.ts";
import { CommandFailed, execute } from "../process/index.ts";
import type { Secrets } from "../secrets/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A program that reads a manifest from its input, and writes another to its output. */
export interface PostRenderProgram {
  readonly program: string;
  readonly args: readonly string[];
  /** Beside the environment of this process. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Finds a post-renderer: a program, as Helm 3 takes it, by its path or on the PATH; or a plugin of
 * the type postrenderer/v1, as Helm 4 takes it, by its name.
 *
 * @throws {UserError} when it is neither.
 */
export async function postRenderProgram(
  name: string,
  args: readonly string[],
  { PATH = "" }: Environment,
  plugins: readonly string[],
): Promise<PostRenderProgram> {
  if (name.includes("/")) {
    if (await isExecutable(name)) return { program: name, args, environment: {} };
  } else {
    for (const folder of PATH.split(delimiter)) {
      const program = join(folder, name);
      if (await isExecutable(program)) return { program, args, environment: {} };
    }
    for (const folder of plugins) {
      const found = await pluginIn(folder, name);
      if (found !== undefined) return { ...found, args: [...found.args, ...args] };
    }
  }
  throw new UserError({
    title: "No such post-renderer",
    cause: `There is no program ${JSON.stringify(name)} that can be run, ${name.includes("/") ? "by that path" : "on the PATH, and no Helm plugin of that name"}.`,
    remedy:
      "Give the path of an executable file, as in ./kustomize.sh, with its arguments in `post-renderer-args`; nothing was changed.",
  });
}

/**
 * Runs it.
 *
 * @throws {UserError} when it fails, or gives nothing back.
 */
export async function runPostRenderer(
  { program, args, environment }: PostRenderProgram,
  manifest: string,
  { signal, secrets }: { readonly signal: AbortSignal; readonly secrets: Secrets },
): Promise<string> {
  try {
    const command = { program, args, environment, input: manifest };
    const { stdout } = await execute(command, { signal, secrets });
    if (stdout.trim() !== "") return stdout;
    throw new UserError({
      title: "The post-renderer gave nothing back",
      cause: `${program} ended well, and its output is empty.`,
      remedy: "It must write the whole manifest to its standard output; nothing was changed.",
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CommandFailed)) throw error;
    const words = error.stderrTail.trim();
    throw new UserError({
      title: "The post-renderer failed",
      cause: `${error.message}${words === "" ? "" : `: ${words.split("\n").at(-1)}`}.`,
      remedy: "Correct it, or what it reads; nothing was changed.",
      ...(words === "" ? {} : { evidence: words }),
    });
  }
}

interface PluginFile {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly runtimeConfig?: {
    readonly platformCommand?: readonly {
      readonly os?: string;
      readonly command?: string;
      readonly args?: readonly string[];
    }[];
  };
}

async function pluginIn(folder: string, name: string): Promise<PostRenderProgram | undefined> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const path = join(folder, entry);
    const text = await readFile(join(path, "plugin.yaml"), "utf8").catch(() => "");
    const plugin = (load(text) ?? {}) as PluginFile;
    if (plugin.name !== name || plugin.type !== "postrenderer/v1") continue;
    const commands = plugin.runtimeConfig?.platformCommand ?? [];
    const own = commands.find(({ os }) => os === undefined || os === "" || os === process.platform);
    if (own?.command === undefined) continue;
    const here = (words: string) => words.replace(/\$\{HELM_PLUGIN_DIR\}|\$HELM_PLUGIN_DIR/g, path);
    const args = (own.args ?? []).map(here);
    return { program: here(own.command), args, environment: { HELM_PLUGIN_DIR: path } };
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
