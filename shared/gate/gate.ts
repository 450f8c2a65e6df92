import { UserError } from "../failure/index.ts";
import type { LeakSearch, Secret } from "../leaks/index.ts";
import type { Secrets } from "../secrets/index.ts";
import type { Signing, SigningSettings } from "../signing/index.ts";
import type { Clock, Log } from "../world/index.ts";
import { failed, type GateCheck, type GateVerdict, notChecked, passed } from "./check.ts";
import type { GateImage } from "./gate-image.ts";
import { ScanCheck, type ScanSettings } from "./scan-check.ts";
import { checkSecrets } from "./secrets-check.ts";

export interface GateSettings extends ScanSettings {
  /** Whether images are searched for secrets. */
  readonly secretSearch: boolean;
  readonly secrets: readonly Secret[];
  /** Names of build arguments that look like secrets and may be known to anybody. */
  readonly publicArguments: readonly string[];
  /** How images are signed; they are not when left out. */
  readonly signing: SigningSettings | undefined;
}

export interface GateExecution {
  /** That of the job. */
  readonly jobEnvironment: Readonly<Record<string, string | undefined>>;
  /** For programs, beside that of this process: DOCKER_CONFIG and the like. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** A private folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Pick<Log, "info">;
  readonly secrets: Secrets;
  readonly signal: AbortSignal;
}

/** What came of the gate for a whole step. */
export interface Gated {
  readonly verdicts: readonly GateVerdict[];
  /** What is to be said beside: of entries that end soon, secrets that were not searched for. */
  readonly notes: readonly string[];
}

/** What images must pass before their tags move: no secrets, no vulnerabilities, signed. */
export class Gate {
  readonly #settings: GateSettings;
  readonly #execution: GateExecution;
  #searching: Promise<LeakSearch> | undefined;
  readonly #scan: ScanCheck;
  readonly #signing: Signing | undefined;

  private constructor(
    settings: GateSettings,
    execution: GateExecution,
    scan: ScanCheck,
    signing: Signing | undefined,
  ) {
    this.#settings = settings;
    this.#execution = execution;
    this.#scan = scan;
    this.#signing = signing;
  }

  /**
   * Makes all ready that the gate takes, before anything is built: what is wrong with it shows in
   * seconds.
   *
   * @throws {UserError} when a tool is not there or the key cannot be used.
   */
  static async open(settings: GateSettings, execution: GateExecution): Promise<Gate> {
    const { signing } = settings;
    const [scan, signer] = await Promise.all([
      ScanCheck.open(settings, execution.jobEnvironment),
      signing === undefined
        ? undefined
        : import("../signing/index.ts").then(({ Signing }) => Signing.open(signing, execution)),
    ]);
    return new Gate(settings, execution, scan, signer);
  }

  /**
   * Lets images pass or not, all side by side. They are signed only when every one of them is to
   * pass, for then their tags move. Never throws for what a check finds; a cancelled gate lets none
   * pass.
   */
  async pass(images: readonly GateImage[]): Promise<Gated> {
    const notes: string[] = [];
    const looked = await Promise.all(
      images.map(async (image) => {
        const [secrets, vulnerabilities] = await Promise.all([
          this.#try("secrets", () => this.#secrets(image, notes)),
          this.#try("vulnerabilities", () => this.#vulnerabilities(image)),
        ]);
        return { image, checks: [secrets, vulnerabilities] };
      }),
    );
    const stopped = looked.find(({ checks }) => checks.some(({ state }) => state === "failed"));
    const verdicts = await Promise.all(
      looked.map(async ({ image, checks }) => {
        const signature = await this.#try("signature", () =>
          this.#signature(image, stopped?.image.service),
        );
        return verdictOf(image.service, [...checks, signature]);
      }),
    );
    notes.push(...this.#scan.notes(this.#execution.clock.now()));
    const unsearched = await this.#unsearched(images);
    return { verdicts, notes: [...new Set([...unsearched, ...notes])] };
  }

  async #secrets(image: GateImage, notes: string[]): Promise<GateCheck> {
    if (!this.#settings.secretSearch) {
      return notChecked("secrets", "not searched for secrets: by the input secret-search");
    }
    const { signal } = this.#execution;
    const { check, notes: told } = await checkSecrets(image, () => this.#search(), signal);
    notes.push(...told);
    return check;
  }

  async #vulnerabilities(image: GateImage): Promise<GateCheck> {
    const { timeout } = this.#settings;
    const execution = { ...this.#execution, timeout };
    const { log, clock } = this.#execution;
    return await this.#scan.check(image, execution, log, clock.now());
  }

  async #signature(image: GateImage, stoppedBy: string | undefined): Promise<GateCheck> {
    if (this.#signing === undefined)
      return notChecked("signature", "not signed: by the input sign");
    if (stoppedBy !== undefined) {
      return notChecked("signature", `not signed: ${stoppedBy} did not pass`);
    }
    const { signal } = this.#execution;
    const made: boolean[] = [];
    let how = "";
    for (const { image: stored } of image.places) {
      const signature = await this.#signing.ensure(stored.reference, signal);
      made.push(signature.made);
      how = signature.how;
    }
    const what = made.includes(true) ? "signed, and the signature verified" : "signature verified";
    return passed("signature", `${what} ${how}`);
  }

  /** A check that cannot be made is one that is not passed. */
  async #try(name: GateCheck["name"], work: () => Promise<GateCheck>): Promise<GateCheck> {
    const { signal } = this.#execution;
    try {
      signal.throwIfAborted();
      return await work();
    } catch (error) {
      if (signal.aborted) return failed(name, cancelled());
      if (error instanceof UserError) return failed(name, error);
      throw error;
    }
  }

  /** Loaded when there is something to search: a run in which nothing changed is over sooner. */
  #search(): Promise<LeakSearch> {
    this.#searching ??= import("../leaks/index.ts").then(
      ({ LeakSearch }) => new LeakSearch(this.#settings),
    );
    return this.#searching;
  }

  async #unsearched(images: readonly GateImage[]): Promise<readonly string[]> {
    const searched = this.#settings.secretSearch && images.some(({ reused }) => !reused);
    if (!searched) return [];
    return (await this.#search()).unsearched.map(
      ({ secret, why }) => `The images were not searched for ${secret}: ${why}.`,
    );
  }
}

/** The checks of a service as one verdict. */
function verdictOf(service: string, checks: readonly GateCheck[]): GateVerdict {
  const failures = checks.flatMap(({ failure }) => failure ?? []);
  const [first, ...others] = failures;
  if (first === undefined || others.length === 0) return { service, checks, failure: first };
  if (failures.every(({ title }) => title === first.title)) {
    return { service, checks, failure: first };
  }
  const evidence = failures.flatMap((each) => each.evidence ?? []).join("\n");
  const failure = new UserError({
    title: "The image did not pass the gate",
    cause: failures.map((each) => `${each.title}: ${each.cause}`).join("\n"),
    remedy: [...new Set(failures.map(({ remedy }) => remedy))].join(" "),
    ...(evidence === "" ? {} : { evidence }),
  });
  return { service, checks, failure };
}

function cancelled(): UserError {
  return new UserError({
    title: "Cancelled",
    cause: "The job was cancelled before the image had passed the gate; no tag was moved to it.",
    remedy: "Run the job again: what was built and pushed is found there.",
  });
}
