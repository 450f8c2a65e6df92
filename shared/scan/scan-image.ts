import { UserError } from "../failure/index.ts";
import type { ScannedPlatform } from "./finding.ts";
import { type JudgedFindings, judgeFindings, type ScanRules } from "./judge-findings.ts";
import { type ScanExecution, type ScannerName, type ScanSubject, scan } from "./scanner.ts";

/** An image to be scanned, platform by platform. */
export interface ScanTarget {
  readonly service: string;
  /** repository@digest */
  readonly image: string;
  readonly platforms: readonly Omit<ScanSubject, "image">[];
}

/** What came of scanning an image. */
export interface ScanReport {
  readonly service: string;
  readonly scanner: ScannerName;
  readonly platforms: readonly string[];
  readonly findings: JudgedFindings;
  /** When the scanner's database was made, as it says. */
  readonly database: string | undefined;
  /** How many findings the scanner's own settings left out. */
  readonly leftOut: number;
}

/**
 * Scans an image, every platform of it.
 *
 * @param inTurn runs one scan after the other, as the scanner's files demand.
 * @throws {UserError} when a platform could not be scanned.
 */
export async function scanImage(
  target: ScanTarget,
  scanner: ScannerName,
  rules: ScanRules,
  execution: ScanExecution,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
  now: number,
): Promise<ScanReport> {
  const scanned: (ScannedPlatform & { platform: string })[] = [];
  for (const { platform, digests } of target.platforms) {
    const subject = { image: target.image, platform, digests };
    const result = await inTurn(() => scan(scanner, subject, execution));
    scanned.push({ ...result, platform });
  }
  return {
    service: target.service,
    scanner,
    platforms: scanned.map(({ platform }) => platform),
    findings: judgeFindings(target.service, scanned, rules, now),
    database: scanned.find(({ database }) => database !== undefined)?.database,
    leftOut: scanned.reduce((sum, { leftOut }) => sum + leftOut, 0),
  };
}

const MOST_NAMED = 5;

/** The failure of an image that has vulnerabilities nobody bears; undefined when it has none. */
export function scanFailure(
  image: string,
  { findings, scanner }: ScanReport,
  { threshold }: ScanRules,
): UserError | undefined {
  const { failing, expired } = findings;
  if (failing.length === 0) return undefined;
  const named = failing.slice(0, MOST_NAMED).map(sentence);
  const more = failing.length - named.length;
  const ended = expired.map(
    ({ id, until, line }) => `The entry for ${id} in scan-ignore (line ${line}) ended on ${until}.`,
  );
  const level = threshold === "critical" ? "critical" : `${threshold} or worse`;
  const list = more > 0 ? [...named, `and ${more} more`] : named;
  return new UserError({
    title: `The image has ${failing.length === 1 ? "a vulnerability" : `${failing.length} vulnerabilities`} that ${failing.length === 1 ? "is" : "are"} ${level}`,
    cause: [`${image}, by ${scanner}: ${list.join("; ")}.`, ...ended].join(" "),
    remedy: remedyFor(findings),
    evidence: failing.map((each) => `${sentence(each)}${titled(each.title)}`).join("\n"),
  });
}

function sentence({
  id,
  severity,
  package: name,
  installed,
  fixed,
  platforms,
}: PlacedLike): string {
  const where = platforms.length > 1 ? "" : ` (${platforms.join()})`;
  const mended = fixed === undefined ? "no fix yet" : `fixed in ${fixed}`;
  return `${id} ${severity} in ${name} ${installed}${where}, ${mended}`;
}

type PlacedLike = JudgedFindings["failing"][number];

function titled(title: string): string {
  return title === "" ? "" : `: ${title}`;
}

function remedyFor({ failing }: JudgedFindings): string {
  const mendable = failing.filter(({ fixed }) => fixed !== undefined).length;
  const bear = "bear it for a time with an entry of id, until and reason in the input scan-ignore";
  if (mendable === failing.length) {
    return `Build on a newer base image or newer packages; or ${bear}.`;
  }
  const some = mendable === 0 ? "There is no fix yet" : `${mendable} of them have a fix`;
  return `${some}: build on newer packages where there are, ${bear}, or set scan-only-fixed.`;
}
