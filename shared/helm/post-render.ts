import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe } from "../failure/index.ts";
import type { PrivateFolder } from "./values-folder.ts";

/** What becomes of a manifest between rendering and applying. */
export type PostRender = (manifest: string) => Promise<string>;

type Environment = Readonly<Record<string, string | undefined>>;

const NAME = "seaworthy-post-render";
const LOOK_MS = 20;

/**
 * Leads a run of Helm through a function of ours after it has rendered and before it applies. Helm
 * starts a program for that: it hands the manifest over in a file, and waits for the answer. It
 * gives up when this process is gone.
 */
export class PostRenderer implements AsyncDisposable {
  /** What Helm must be told, and what it must find in its environment. */
  readonly flags: readonly string[];
  readonly environment: Environment;
  readonly #folder: string;
  readonly #change: PostRender;
  readonly #over = new AbortController();
  readonly #serving: Promise<void>;
  #failure: unknown;

  private constructor(folder: string, major: number, change: PostRender, environment: Environment) {
    this.#folder = join(folder, "exchange");
    this.#change = change;
    this.flags = [`--post-renderer=${major >= 4 ? NAME : join(folder, NAME, "post-render")}`];
    this.environment =
      major >= 4 ? { HELM_PLUGINS: [folder, ...pluginFolders(environment)].join(delimiter) } : {};
    this.#serving = this.#serve();
  }

  /** @param major version of Helm: 3 takes a program, 4 a plugin. */
  static async open(
    parent: PrivateFolder,
    major: number,
    change: PostRender,
    environment: Environment,
  ): Promise<PostRenderer> {
    const folder = await parent.folder("post-render");
    const plugin = join(folder, NAME);
    await mkdir(plugin, { mode: 0o700 });
    await mkdir(join(folder, "exchange"), { mode: 0o700 });
    const script = join(plugin, "post-render");
    await writeFile(script, scriptText(join(folder, "exchange")), { mode: 0o700 });
    await writeFile(join(plugin, "plugin.yaml"), PLUGIN);
    return new PostRenderer(folder, major, change, environment);
  }

  /** Why the function failed, which Helm knows nothing of. */
  get failure(): unknown {
    return this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const served = new Set<string>();
    while (!this.#over.signal.aborted) {
      const files = await readdir(this.#folder).catch(() => []);
      for (const file of files) {
        if (!file.endsWith(".rendered") || served.has(file)) continue;
        served.add(file);
        await this.#answer(file.slice(0, -".rendered".length));
      }
      await sleep(LOOK_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  async #answer(name: string): Promise<void> {
    const path = (ending: string) => join(this.#folder, `${name}.${ending}`);
    try {
      const changed = await this.#change(await readFile(path("rendered"), "utf8"));
      await writeFile(path("part"), changed, { mode: 0o600 });
      await rename(path("part"), path("answer"));
    } catch (error) {
      this.#failure ??= error;
      await writeFile(path("failed"), describe(error)).catch(() => undefined);
    }
  }
}

/** POSIX sh. The folder's name is ours: it holds nothing that a shell would read. */
function scriptText(exchange: string): string {
  return `#!/bin/sh
name="${exchange}/$$"
umask 077
cat > "$name.in" && mv "$name.in" "$name.rendered" || exit 1
while [ ! -e "$name.answer" ]; do
  [ -e "$name.failed" ] && { cat "$name.failed" >&2; exit 1; }
  kill -0 ${process.pid} 2> /dev/null || exit 1
  sleep 0.02
done
exec cat "$name.answer"
`;
}

const PLUGIN = `apiVersion: v1
name: ${NAME}
version: 1.0.0
type: postrenderer/v1
runtime: subprocess
runtimeConfig:
  platformCommand:
    - command: "\${HELM_PLUGIN_DIR}/post-render"
`;

/** Where Helm looks for plugins: pkg/cli/environment.go, pkg/helmpath. */
export function pluginFolders({
  HELM_PLUGINS,
  HELM_DATA_HOME,
  XDG_DATA_HOME,
  HOME,
}: Environment): readonly string[] {
  if (HELM_PLUGINS) return HELM_PLUGINS.split(delimiter);
  const data = XDG_DATA_HOME ? join(XDG_DATA_HOME, "helm") : undefined;
  const home = join(
    HOME || homedir(),
    process.platform === "darwin" ? "Library" : ".local/share",
    "helm",
  );
  return [join(HELM_DATA_HOME || data || home, "plugins")];
}
