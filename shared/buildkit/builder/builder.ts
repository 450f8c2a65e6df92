import type { Execution } from "../../process/index.ts";
import type { Log } from "../../world/index.ts";
import type { Buildx } from "./find-buildx.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What opening and starting a builder needs of the outside. */
export interface BuilderExecution extends Execution {
  readonly buildx: Buildx;
  /** The job's own environment: it says which builders there are. */
  readonly environment: Environment;
  /** For docker and buildx, over the job's: a private DOCKER_CONFIG, for one. */
  readonly docker: Readonly<Record<string, string>>;
  /** A private folder, which is there as long as the builder is used. */
  readonly folder: string;
  readonly log: Log;
  /** For removing what was made, also after `signal` has aborted. */
  readonly aftermath: AbortSignal;
}

/** A builder that was chosen. Nothing of it is started before it is needed. */
export interface Builder extends AsyncDisposable {
  /** What it is, for the log. */
  readonly description: string;
  /**
   * What images depend on of it, for their content keys: BuildKit's version where one can be asked
   * in a few milliseconds, else the image from which it is started.
   *
   * @throws {UserError} when nobody answers.
   */
  version(): Promise<string>;
  /**
   * Has it made and started, once; later calls give the same.
   *
   * @throws {UserError} with the cause, in the words of who refused.
   */
  start(): Promise<StartedBuilder>;
}

/** A builder that builds. */
export interface StartedBuilder {
  /** For `--builder`; undefined for the one that buildx takes by itself. */
  readonly name: string | undefined;
  /** As buildx calls it; undefined where it was not told. */
  readonly driver: string | undefined;
  /** On how many machines it builds: several push an image of several platforms in parts. */
  readonly nodes: number;
  /** For buildx, beside that of this process. */
  readonly environment: Readonly<Record<string, string>>;
}
