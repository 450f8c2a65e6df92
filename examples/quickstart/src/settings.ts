import type { Faults } from "./faults.ts";

/** Everything that can be set from outside, checked and typed. */
export interface Settings {
  readonly name: string;
  readonly version: string;
  readonly greeting: string;
  readonly port: number;
  /** How long to go on serving after SIGTERM, so that every client can find another pod. */
  readonly drainSeconds: number;
  readonly faults: Faults;
}

/** The environment holds values that cannot be used; the message names every one of them. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** Reads the settings from environment variables; throws one SettingsError for all bad values. */
export function readSettings(environment: Readonly<NodeJS.ProcessEnv>): Settings {
  const reader = new EnvironmentReader(environment);
  const settings: Settings = {
    name: reader.text("APP_NAME", "quickstart"),
    version: reader.text("APP_VERSION", "0.0.0-dev"),
    greeting: reader.text("GREETING", "Ahoy!"),
    port: reader.wholeNumber("PORT", 3000, 0, 65_535),
    drainSeconds: reader.number("DRAIN_SECONDS", 5, 0, 300),
    faults: {
      errorRate: reader.number("FAULT_ERROR_RATE", 0, 0, 1),
      latencyMs: reader.wholeNumber("FAULT_LATENCY_MS", 0, 0, 60_000),
      crashAtStart: reader.flag("FAULT_CRASH_AT_START"),
      readiness: reader.flag("FAULT_READINESS"),
    },
  };
  reader.refuseProblems();
  return settings;
}

/** Reads values by name and collects what is wrong with them, to report it all at once. */
class EnvironmentReader {
  readonly #environment: Readonly<NodeJS.ProcessEnv>;
  readonly #problems: string[] = [];

  constructor(environment: Readonly<NodeJS.ProcessEnv>) {
    this.#environment = environment;
  }

  /** An empty variable counts as unset: that is how a template renders "no value". */
  text(name: string, fallback: string): string {
    return this.#environment[name]?.trim() || fallback;
  }

  flag(name: string): boolean {
    const text = this.text(name, "false");
    if (text !== "true" && text !== "false") {
      this.#problems.push(`${name} must be true or false, but is "${text}"`);
    }
    return text === "true";
  }

  number(name: string, fallback: number, least: number, most: number): number {
    // With an exponent, for that is how Helm renders small numbers: 0.00001 becomes 1e-05.
    return this.#bounded(name, fallback, least, most, "a number", /^\d+(\.\d+)?(e-?\d+)?$/);
  }

  wholeNumber(name: string, fallback: number, least: number, most: number): number {
    return this.#bounded(name, fallback, least, most, "a whole number", /^\d+$/);
  }

  refuseProblems(): void {
    if (this.#problems.length > 0) {
      throw new SettingsError(this.#problems);
    }
  }

  #bounded(
    name: string,
    fallback: number,
    least: number,
    most: number,
    kind: string,
    pattern: RegExp,
  ): number {
    const text = this.text(name, String(fallback));
    const value = Number(text);
    // Number() alone would also take "0x1f" and " ", which are slips rather than wishes.
    if (!pattern.test(text) || value < least || value > most) {
      this.#problems.push(`${name} must be ${kind} from ${least} to ${most}, but is "${text}"`);
    }
    return value;
  }
}
