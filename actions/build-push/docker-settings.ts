import { join } from "node:path";
import { leash } from "../../shared/process/index.ts";
import {
  buildxFolder,
  type DockerConfig,
  type Login,
  readDockerConfig,
  withLogin,
  writePrivateConfig,
} from "../../shared/registry/index.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Docker's configuration as the step's programs find it: the job's own, and in a private folder
 * the logins that the step came by. Which registries have to be signed in to is known bit by bit,
 * those of base images only when the Dockerfiles are read.
 */
export class DockerSettings implements Disposable {
  /** For docker, buildx and what else reads docker's configuration; holds from the next program on. */
  readonly environment: Record<string, string> = {};
  readonly #folder: string;
  readonly #found: DockerConfig;
  readonly #job: Environment;
  readonly #logins: Login[] = [];
  #written = 0;
  #holding: Disposable | undefined;

  private constructor(folder: string, found: DockerConfig, job: Environment) {
    this.#folder = folder;
    this.#found = found;
    this.#job = job;
  }

  /**
   * @param folder a folder of the step's own, which it removes at its end.
   * @throws {UserError} when the job's configuration cannot be read.
   */
  static async open(folder: string, job: Environment): Promise<DockerSettings> {
    return new DockerSettings(folder, await readDockerConfig(job), job);
  }

  /** The job's own configuration. */
  get found(): DockerConfig {
    return this.#found;
  }

  add(login: Login | undefined): void {
    if (login !== undefined) this.#logins.push(login);
  }

  /** Has programs that are started from now on find all logins. */
  async write(): Promise<void> {
    if (this.#logins.length === this.#written) return;
    this.#written = this.#logins.length;
    const folder = join(this.#folder, `docker-${this.#written}`);
    // A step that is killed must leave no password behind.
    this.#holding ??= leash({ folder: this.#folder });
    await writePrivateConfig(folder, this.#logins.reduce(withLogin, this.#found), this.#job);
    this.environment.DOCKER_CONFIG = folder;
    // The builders stay those of the configuration in use.
    this.environment.BUILDX_CONFIG = buildxFolder(this.#job);
  }

  [Symbol.dispose](): void {
    this.#holding?.[Symbol.dispose]();
  }
}
