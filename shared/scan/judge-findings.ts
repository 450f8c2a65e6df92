import {
  type Finding,
  reaches,
  type ScannedPlatform,
  SEVERITIES,
  type Threshold,
} from "./finding.ts";
import { type IgnoreEntry, isExpired } from "./ignore-list.ts";

/** What a finding is measured by. */
export interface ScanRules {
  readonly threshold: Threshold;
  /** Leave alone what nobody can mend yet. */
  readonly onlyFixed: boolean;
  readonly ignore: readonly IgnoreEntry[];
}

/** A finding with the platforms that have it. */
export interface PlacedFinding extends Finding {
  readonly platforms: readonly string[];
}

/** The findings of one image, told apart. */
export interface JudgedFindings {
  /** At or above the threshold, and borne by nobody. */
  readonly failing: readonly PlacedFinding[];
  readonly ignored: readonly { readonly finding: PlacedFinding; readonly by: IgnoreEntry }[];
  /** Would be failing if there was a fix. */
  readonly unfixed: readonly PlacedFinding[];
  readonly below: readonly PlacedFinding[];
  /** Entries that would have ignored something, had they not expired. */
  readonly expired: readonly IgnoreEntry[];
}

/**
 * Tells the findings of an image apart. Pure.
 *
 * @param service whose image it is, for entries that hold for one service.
 * @param now epoch milliseconds.
 */
export function judgeFindings(
  service: string,
  scanned: readonly (ScannedPlatform & { readonly platform: string })[],
  rules: ScanRules,
  now: number,
): JudgedFindings {
  const failing: PlacedFinding[] = [];
  const ignored: { finding: PlacedFinding; by: IgnoreEntry }[] = [];
  const unfixed: PlacedFinding[] = [];
  const below: PlacedFinding[] = [];
  const expired = new Set<IgnoreEntry>();
  for (const finding of placed(scanned)) {
    const entries = rules.ignore.filter((entry) => fits(entry, finding, service));
    const by = entries.find((entry) => !isExpired(entry, now));
    if (by !== undefined) {
      ignored.push({ finding, by });
    } else if (!reaches(finding.severity, rules.threshold)) {
      below.push(finding);
    } else if (rules.onlyFixed && finding.fixed === undefined) {
      unfixed.push(finding);
    } else {
      failing.push(finding);
      for (const entry of entries) expired.add(entry);
    }
  }
  return { failing, ignored, unfixed, below, expired: [...expired] };
}

/** The entries that ignored nothing in any of the images; those of services not looked at count not. */
export function unusedEntries(
  entries: readonly IgnoreEntry[],
  judged: readonly { readonly service: string; readonly findings: JudgedFindings }[],
): readonly IgnoreEntry[] {
  const used = new Set(
    judged.flatMap(({ findings }) => [
      ...findings.ignored.map(({ by }) => by),
      ...findings.expired,
    ]),
  );
  const services = new Set(judged.map(({ service }) => service));
  return entries.filter((entry) => {
    const wasLookedFor = entry.service === undefined || services.has(entry.service);
    return wasLookedFor && !used.has(entry);
  });
}

function fits(entry: IgnoreEntry, finding: Finding, service: string): boolean {
  const ids = [finding.id, ...finding.aliases].map((id) => id.toLowerCase());
  return (
    ids.includes(entry.id.toLowerCase()) &&
    (entry.package === undefined || entry.package === finding.package) &&
    (entry.service === undefined || entry.service === service)
  );
}

/** Each finding once, worst first. */
function placed(
  scanned: readonly (ScannedPlatform & { readonly platform: string })[],
): readonly PlacedFinding[] {
  const found = new Map<string, PlacedFinding>();
  for (const { platform, findings } of scanned) {
    for (const finding of findings) {
      const key = JSON.stringify([finding.id, finding.package, finding.installed]);
      const platforms = new Set([...(found.get(key)?.platforms ?? []), platform]);
      found.set(key, { ...finding, platforms: [...platforms] });
    }
  }
  const worst = (a: Finding, b: Finding) =>
    rankOf(a) - rankOf(b) ||
    Number(a.fixed === undefined) - Number(b.fixed === undefined) ||
    a.id.localeCompare(b.id) ||
    a.package.localeCompare(b.package);
  return [...found.values()].sort(worst);
}

function rankOf({ severity }: Finding): number {
  return SEVERITIES.indexOf(severity);
}
