import { UserError } from "../failure/index.ts";
import { CommandFailed, type Completed, execute } from "../process/index.ts";
import type { Secrets } from "../secrets/index.ts";

/** What running cosign takes. */
export interface SigningExecution {
  /** For cosign, beside that of this process: DOCKER_CONFIG and the like. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder, for keys and settings. */
  readonly folder: string;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
}

/** Signing one image takes a second; a service that signs or logs may take its time. */
const DEADLINE_MS = 3 * 60_000;

/** cosign as it is on this machine. */
export class Cosign {
  readonly #execution: SigningExecution;
  /** What it is told of passwords, keys and tokens: in its environment, never on its command line. */
  readonly #secretEnvironment: Readonly<Record<string, string>>;

  constructor(execution: SigningExecution, secretEnvironment: Readonly<Record<string, string>>) {
    this.#execution = execution;
    this.#secretEnvironment = secretEnvironment;
  }

  /**
   * @throws {CommandFailed} when it fails.
   * @throws {UserError} when it is not there.
   */
  async run(args: readonly string[], signal = this.#execution.signal): Promise<Completed> {
    const { environment, secrets } = this.#execution;
    const command = {
      program: "cosign",
      args,
      // A question would wait for an answer that never comes; the empty input answers it.
      input: "",
      environment: { ...environment, ...this.#secretEnvironment },
    };
    try {
      return await execute(command, { signal, secrets, deadline: DEADLINE_MS });
    } catch (error) {
      if (error instanceof CommandFailed && error.why === "not-found") throw absent(error);
      throw error;
    }
  }

  /**
   * How this cosign is told which services to use: since version 3 by a file, before by flags.
   *
   * @throws {UserError} when it is not there or does not even print its help.
   */
  async takesSigningConfig(): Promise<boolean> {
    try {
      const { stdout, stderr } = await this.run(["sign", "--help"]);
      return /--use-signing-config=true/.test(`${stdout}${stderr}`);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      this.#execution.signal.throwIfAborted();
      throw new UserError(
        {
          title: "cosign does not run",
          cause: `${error.message}.`,
          remedy:
            "Install another cosign, for instance by setup-tools; version 2 or later is known.",
          evidence: error.stderrTail,
        },
        { reason: error },
      );
    }
  }
}

function absent(reason: CommandFailed): UserError {
  return new UserError(
    {
      title: "cosign is not there",
      cause: "The input sign asks for signatures, and cosign was not found on the PATH.",
      remedy: "Add `cosign` to the tools of a setup-tools step before this one.",
    },
    { reason },
  );
}
