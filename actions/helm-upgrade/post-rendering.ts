import { UserError } from "../../shared/failure/index.ts";
import {
  type Helm,
  PostRenderer,
  type PrivateFolder,
  pluginFolders,
  postRenderProgram,
  type ReleaseFlags,
  runPostRenderer,
} from "../../shared/helm/index.ts";
import { type KeptReplicas, manifestKeeping } from "../../shared/release/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/**
 * What happens between rendering and applying: the user's own post-renderer, and the replicas that
 * autoscalers have chosen. Where there is neither, Helm is left alone: a post-renderer has it read
 * and write the manifest anew.
 */
export class PostRendering {
  readonly #options: Options;
  readonly #helm: Helm;
  readonly #folder: PrivateFolder;
  readonly #world: World;

  constructor(options: Options, helm: Helm, folder: PrivateFolder, world: World) {
    this.#options = options;
    this.#helm = helm;
    this.#folder = folder;
    this.#world = world;
  }

  /** Runs Helm, with the flags that lead it through the post-renderer. */
  async during<T>(
    kept: readonly KeptReplicas[],
    work: (flags: ReleaseFlags) => Promise<T>,
  ): Promise<T> {
    const { postRenderer: given, postRendererArgs: args, namespace } = this.#options;
    if (given === undefined && kept.length === 0) return work({});
    const { environment, secrets, signal } = this.#world;
    const program =
      given === undefined
        ? undefined
        : await postRenderProgram(given, args, environment, pluginFolders(environment));
    const change = async (manifest: string) => {
      const own =
        program === undefined
          ? manifest
          : await runPostRenderer(program, manifest, { signal, secrets });
      return manifestKeeping(own, kept, namespace);
    };
    const major = await this.#major();
    await using renderer = await PostRenderer.open(this.#folder, major, change, environment);
    try {
      return await work({ postRender: renderer.flags, environment: renderer.environment });
    } catch (error) {
      // Helm knows only that its program failed.
      throw renderer.failure instanceof UserError ? renderer.failure : error;
    }
  }

  async #major(): Promise<number> {
    const version = await this.#helm.version(this.#world.signal);
    return Number(/^v?(\d+)/.exec(version)?.[1] ?? 4);
  }
}
