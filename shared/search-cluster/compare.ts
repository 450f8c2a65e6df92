import type { Finding, Item } from "../proof/index.ts";
import { type ContentSums, differing, documentsIn } from "./content.ts";
import { changes, lastingSettings } from "./definition.ts";
import { type ExpectedContent, expectedContent, type IndexFingerprint } from "./fingerprint.ts";

/** An index as it came out of the snapshot. */
export interface RestoredIndex {
  readonly documents: number;
  /** Undefined where the index keeps no sources. */
  readonly content: ContentSums | undefined;
  readonly mappings: unknown;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What one index's restore shows against its fingerprint. */
export function compareIndex(
  index: IndexFingerprint,
  found: RestoredIndex,
): { readonly findings: readonly Finding[]; readonly item: Item } {
  const expected = expectedContent(index);
  const documents =
    expected === undefined || found.content === undefined
      ? compareCounts(index, found.documents)
      : compareContent(index.name, expected, found.content);
  const differs = documents.some(({ weight }) => weight === "damage");
  const same = expected === undefined || found.content === undefined ? undefined : !differs;
  return {
    findings: [...documents, ...compareDefinitions(index, found)],
    item: {
      ...{ name: index.name, expected: index.documents, bytes: index.bytes, same },
      found: found.content === undefined ? found.documents : documentsIn(found.content),
    },
  };
}

function damage(
  detector: string,
  index: string,
  what: string,
  expected: number | string,
  found: number | string,
): Finding {
  return {
    ...{ detector, tier: "data", weight: "damage", subject: `index ${index}`, what },
    ...{ expected: `${expected}`, found: `${found}` },
  };
}

function compareCounts(
  { name, documents, operations }: IndexFingerprint,
  found: number,
): Finding[] {
  if (Math.abs(found - documents) <= operations) return [];
  const what = `It has ${found} documents, and ${documents} were in it.`;
  return [damage("document-count", name, what, documents, found)];
}

/**
 * Documents that did not change around the snapshot have to be there as they were. Of buckets in
 * which something changed meanwhile, it is not known what the snapshot saw: only that each change
 * adds or takes one document at most.
 */
export function compareContent(
  name: string,
  { before, after, operations }: ExpectedContent,
  found: ContentSums,
): Finding[] {
  const moving = new Set(differing(before, after));
  const wrong = differing(before, found).filter((bucket) => !moving.has(bucket));
  const sum = (sums: ContentSums, buckets: Iterable<number>) => {
    let total = 0;
    for (const bucket of buckets) total += sums.counts[bucket] ?? 0;
    return total;
  };
  const findings: Finding[] = [];
  const there = sum(found, wrong);
  const wanted = sum(before, wrong);
  if (there !== wanted) {
    const change =
      there < wanted
        ? `${wanted - there} documents are missing`
        : `${there - wanted} documents are too many`;
    const all = `of ${documentsIn(before)}`;
    findings.push(
      damage("document-count", name, `${change}, ${all}.`, documentsIn(before), documentsIn(found)),
    );
  }
  if (wrong.length > 0) {
    const what =
      `Documents are not as they were: ${wrong.length} of ${before.counts.length} groups of ` +
      `documents have other contents, ${wanted} documents in all at most.`;
    findings.push(damage("content", name, what, sumText(before, wrong), sumText(found, wrong)));
  }
  const moved = sum(found, moving) - sum(before, moving);
  if (Math.abs(moved) > operations) {
    const what =
      `Where it was written to during the snapshot, it has ${Math.abs(moved)} documents ` +
      `${moved < 0 ? "fewer" : "more"}, which ${operations} changes cannot explain.`;
    findings.push(damage("document-count", name, what, sum(before, moving), sum(found, moving)));
  }
  return findings;
}

/** The first bucket that differs, for evidence. */
function sumText({ sums }: ContentSums, [bucket = 0]: readonly number[]): string {
  return `group ${bucket}: ${(sums[bucket] ?? 0n).toString(16).padStart(16, "0")}`;
}

function compareDefinitions(index: IndexFingerprint, found: RestoredIndex): Finding[] {
  const settings = lastingSettings(found.settings);
  const list = [
    ...changes(index.mappings, found.mappings, "mappings"),
    ...changes(lastingSettings(index.settings), settings, "settings"),
  ];
  return list.map(({ path, expected, found: there }) => ({
    detector: path.startsWith("mappings") ? "mapping" : "settings",
    ...{ tier: "data" as const, weight: "damage" as const, subject: `index ${index.name}` },
    what: `Its ${path} is ${there ?? "not there"}, and was ${expected ?? "not there"}.`,
    ...{ expected, found: there },
  }));
}
