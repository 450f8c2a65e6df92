import type { Finding, Item, Tier } from "../proof/index.ts";
import type { DatabaseFingerprint, KeyGroup, RdbFingerprint } from "./fingerprint.ts";
import { KINDS } from "./value.ts";

const MOST_GROUPS = 5;

/** What two fingerprints have not in common. */
export interface Comparison {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
}

/**
 * Holds what was found against what was there.
 *
 * @param where goes before the names of databases where there are several servers: `shard 2, `.
 */
export function compareFingerprints(
  expected: RdbFingerprint,
  found: RdbFingerprint,
  { tier, where = "" }: { readonly tier: Tier; readonly where?: string },
): Comparison {
  const findings: Finding[] = [];
  const items: Item[] = [];
  const numbers = [...expected.databases, ...found.databases].map(({ database }) => database);
  for (const number of [...new Set(numbers)].sort((a, b) => a - b)) {
    const before = expected.databases.find(({ database }) => database === number);
    const after = found.databases.find(({ database }) => database === number);
    const name = `${where}database ${number}`;
    items.push({
      name,
      expected: before?.keys ?? 0,
      found: after?.keys ?? 0,
      same: before?.hash === after?.hash,
    });
    const difference = differenceOf(before, after, expected.databases);
    if (difference !== undefined) findings.push({ ...difference, tier, subject: name });
  }
  findings.push(...libraries(expected, found, tier, where));
  return { findings, items };
}

type Difference = Omit<Finding, "tier" | "subject">;

function differenceOf(
  before: DatabaseFingerprint | undefined,
  after: DatabaseFingerprint | undefined,
  all: readonly DatabaseFingerprint[],
): Difference | undefined {
  if (before?.hash === after?.hash && before?.keys === after?.keys) return undefined;
  const expected = before?.keys ?? 0;
  const found = after?.keys ?? 0;
  const elsewhere = all.find(({ hash }) => hash === after?.hash)?.database;
  const swapped =
    elsewhere === undefined || after === undefined
      ? ""
      : ` It holds what was in database ${elsewhere}.`;
  const detail = swapped || detailOf(before, after);
  if (expected !== found) {
    return {
      detector: "key-count",
      weight: "damage",
      what: `${counted(expected)} were there, and ${found} are.${detail}`,
      expected: String(expected),
      found: String(found),
    };
  }
  return {
    detector: "content-hash",
    weight: "damage",
    what: `Its ${counted(found)} do not hold what they held, or expire at other moments.${detail}`,
    expected: before?.hash,
    found: after?.hash,
  };
}

function counted(keys: number): string {
  return keys === 1 ? "1 key" : `${keys} keys`;
}

/** Which types and which beginnings of keys differ. */
function detailOf(
  before: DatabaseFingerprint | undefined,
  after: DatabaseFingerprint | undefined,
): string {
  const types = KINDS.filter((kind) => before?.types[kind]?.hash !== after?.types[kind]?.hash).map(
    (kind) => {
      const a = before?.types[kind];
      const b = after?.types[kind];
      const elements =
        a?.count === b?.count && a?.elements !== b?.elements
          ? ` with ${a?.elements ?? 0} elements and now ${b?.elements ?? 0}`
          : "";
      const counts =
        a?.count === b?.count ? `${b?.count ?? 0}` : `${a?.count ?? 0} and now ${b?.count ?? 0}`;
      return `${kind} (${counts}${elements})`;
    },
  );
  const groups = groupsThatDiffer(before?.groups ?? [], after?.groups ?? []);
  const listed = groups.slice(0, MOST_GROUPS).join("; ");
  const more = groups.length > MOST_GROUPS ? ` and ${groups.length - MOST_GROUPS} more` : "";
  return ` By type: ${types.join(", ") || "all the same"}. By the beginnings of keys: ${listed}${more}.`;
}

function groupsThatDiffer(before: readonly KeyGroup[], after: readonly KeyGroup[]): string[] {
  const numbers = new Set([...before, ...after].map(({ group }) => group));
  const lines: string[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const a = before.find(({ group }) => group === number);
    const b = after.find(({ group }) => group === number);
    if (a?.hash === b?.hash) continue;
    const names = [...new Set([...(a?.names ?? []), ...(b?.names ?? [])])];
    const named = names.map((name) => (name === "" ? "(no colon)" : `${name}*`)).join(" or ");
    lines.push(`${named}: ${a?.count ?? 0}, now ${b?.count ?? 0}`);
  }
  return lines;
}

function libraries(
  expected: RdbFingerprint,
  found: RdbFingerprint,
  tier: Tier,
  where: string,
): Finding[] {
  if (expected.libraries.hash === found.libraries.hash) return [];
  const [a, b] = [expected.libraries.count, found.libraries.count];
  const what =
    a === b
      ? "The libraries of functions are not the ones that were there."
      : `${a} libraries of functions were there, and ${b} are.`;
  return [
    {
      detector: "libraries",
      tier,
      weight: "damage",
      subject: `${where}functions`,
      what,
      expected: String(a),
      found: String(b),
    },
  ];
}
