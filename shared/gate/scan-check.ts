import { UserError } from "../failure/index.ts";
import {
  findScanner,
  type IgnoreEntry,
  SCANNERS,
  type ScanExecution,
  type ScannerName,
  type ScanReport,
  type ScanRules,
  scanFailure,
  scanImage,
  unusedEntries,
} from "../scan/index.ts";
import type { Log } from "../world/index.ts";
import { failed, type GateCheck, notChecked, passed } from "./check.ts";
import type { GateImage } from "./gate-image.ts";
import { Turns } from "./turns.ts";

export type ScanChoice = ScannerName | "auto" | "required" | "off";

export interface ScanSettings extends ScanRules {
  readonly scan: ScanChoice;
  /** The longest that one scan may take, in milliseconds. */
  readonly timeout: number;
}

const DAY_MS = 24 * 3_600_000;
const SOON_DAYS = 7;

/** Scans the images of a step by one scanner. */
export class ScanCheck {
  readonly #settings: ScanSettings;
  readonly #scanner: ScannerName | undefined;
  readonly #reports: ScanReport[] = [];
  /** The first scan alone may fetch the database; trivy keeps a lock on its files. */
  readonly #turns: Turns;
  #first: Promise<unknown> | undefined;

  private constructor(settings: ScanSettings, scanner: ScannerName | undefined) {
    this.#settings = settings;
    this.#scanner = scanner;
    this.#turns = new Turns(scanner === "grype" ? 2 : 1);
  }

  /** @throws {UserError} when there is no scanner, and there must be one. */
  static async open(
    settings: ScanSettings,
    environment: Readonly<Record<string, string | undefined>>,
  ): Promise<ScanCheck> {
    const { scan } = settings;
    if (scan === "off") return new ScanCheck(settings, undefined);
    const wanted = scan === "auto" || scan === "required" ? SCANNERS : [scan];
    const scanner = await findScanner(wanted, environment);
    if (scanner === undefined && scan !== "auto") throw absent(wanted);
    return new ScanCheck(settings, scanner);
  }

  /** @throws {UserError} when the scanner comes to no result. */
  async check(
    image: GateImage,
    execution: ScanExecution,
    log: Pick<Log, "info">,
    now: number,
  ): Promise<GateCheck> {
    const { scan } = this.#settings;
    if (this.#scanner === undefined) {
      const why = scan === "off" ? "by the input scan" : "neither trivy nor grype is on the PATH";
      return notChecked("vulnerabilities", `not scanned: ${why}`);
    }
    const [{ image: stored }] = image.places;
    const target = {
      service: image.service,
      image: stored.reference,
      platforms: stored.images.map(({ platform, digest, config }) => {
        return { platform, digests: [digest, config.digest] };
      }),
    };
    const inTurn = <T>(work: () => Promise<T>) => this.#inTurn(work);
    log.info(`${image.service}: to be scanned by ${this.#scanner}`);
    const report = await scanImage(target, this.#scanner, this.#settings, execution, inTurn, now);
    this.#reports.push(report);
    const failure = scanFailure(stored.reference, report, this.#settings);
    if (failure !== undefined) return failed("vulnerabilities", failure);
    return passed("vulnerabilities", this.#phrase(report));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return await this.#turns.take(async () => {
      if (this.#first !== undefined) {
        await this.#first;
        return await work();
      }
      const running = work();
      this.#first = running.catch(() => {});
      return await running;
    });
  }

  #phrase({ scanner, database, findings, leftOut }: ScanReport): string {
    const { ignored, unfixed, below } = findings;
    const others = [
      counted(below.length, "below"),
      counted(unfixed.length, "without a fix"),
      counted(ignored.length, "ignored"),
      counted(leftOut, `left out by ${scanner}'s own settings`),
    ].filter((text) => text !== "");
    const { threshold } = this.#settings;
    const level = threshold === "critical" ? "critical" : `${threshold} or worse`;
    const made = database === undefined ? "" : `, database of ${database.slice(0, 10)}`;
    const rest = others.length === 0 ? "" : `; ${others.join(", ")}`;
    return `no vulnerability that is ${level} (${scanner}${made}${rest})`;
  }

  /** What is to be said of the list of what is ignored, once all images were scanned. */
  notes(now: number): readonly string[] {
    if (this.#reports.length === 0) return [];
    const unused = unusedEntries(this.#settings.ignore, this.#reports).map(
      (entry) => `${named(entry)} ignores nothing any longer: remove it.`,
    );
    const used = new Set(
      this.#reports.flatMap(({ findings }) => findings.ignored.map(({ by }) => by)),
    );
    const ending = [...used].flatMap((entry) => {
      const days = Math.ceil((Date.parse(`${entry.until}T24:00:00Z`) - now) / DAY_MS);
      return days > SOON_DAYS ? [] : [`${named(entry)} ends on ${entry.until}: ${entry.reason}`];
    });
    return [...unused, ...ending];
  }
}

function counted(number: number, what: string): string {
  return number === 0 ? "" : `${number} ${what}`;
}

function named({ id, line }: IgnoreEntry): string {
  return `scan-ignore, line ${line}: the entry for ${id}`;
}

function absent(wanted: readonly ScannerName[]): UserError {
  const both = wanted.join(" nor ");
  return new UserError({
    title: "The scanner is not there",
    cause: `The input scan asks for a scan, and ${wanted.length === 1 ? `${both} is not` : `neither ${both} is`} on the PATH.`,
    remedy: `Add \`${wanted[0]}\` to the tools of a setup-tools step before this one, or set scan: off.`,
  });
}
