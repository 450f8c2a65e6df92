import type { OpenedBackup } from "../../shared/backup/index.ts";
import type { Examination } from "../../shared/proof/index.ts";
import type { World } from "../../shared/world/index.ts";

/** An examination that is made before it is known whether it counts. */
export class Attempt {
  readonly #contents: (from: OpenedBackup) => Promise<Examination>;
  readonly #world: World;
  #result: Promise<Examination> | undefined;

  constructor(contents: (from: OpenedBackup) => Promise<Examination>, world: World) {
    this.#contents = contents;
    this.#world = world;
  }

  readonly read = async (backup: OpenedBackup): Promise<void> => {
    this.#result = this.#contents(backup);
    // Why it failed is told where it counts.
    await this.#result.catch(() => this.#world.signal.throwIfAborted());
  };

  async result(): Promise<Examination> {
    if (this.#result === undefined) throw new Error("the backup was not read");
    return await this.#result;
  }
}
