import type { Finding, Item } from "../../../shared/proof/index.ts";
import {
  type IndexFingerprint,
  proveIndex,
  restoreAnew,
  type StreamPlan,
} from "../../../shared/search-cluster/index.ts";
import type { Means } from "../restored.ts";
import type { IndicesRestore } from "./restore.ts";

/** What came of indices under their own names. */
export interface Anew {
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly seconds: number;
}

/** Removes a data stream that is in the way, with its indices. */
export async function freeStream(
  { cluster, occupants }: IndicesRestore,
  name: string,
): Promise<void> {
  if (!occupants.streams.includes(name)) return;
  await cluster.find("DELETE", `/_data_stream/${encodeURIComponent(name)}`);
}

/** Restores an index or a data stream under its own name, and holds every document of it. */
export async function anewOf(
  restore: IndicesRestore,
  { name, indices }: StreamPlan,
  { world }: Means,
): Promise<Anew> {
  const { cluster, repository, expected, plan } = restore;
  const began = world.clock.now();
  const isStream = plan.streams.some((stream) => stream.name === name);
  const order = { repository, snapshot: expected.snapshot.name, name, indices, isStream };
  const trouble = await restoreAnew(cluster, order, world);
  const seconds = (world.clock.now() - began) / 1_000;
  if (trouble !== undefined) return { ...lost(name, trouble, indices), seconds };
  const findings: Finding[] = [];
  const items: Item[] = [];
  for (const index of indices) {
    const proof = await proveIndex(restore, index, world);
    findings.push(...proof.findings);
    items.push(proof.item);
  }
  return { findings, items, seconds };
}

function lost(name: string, trouble: string, indices: readonly IndexFingerprint[]) {
  const what = `It cannot be restored: ${trouble.replace(/\.?$/, ".")}`;
  const finding: Finding = {
    ...{ detector: "restore", tier: "data", weight: "damage", subject: `index ${name}`, what },
  };
  const items = indices.map(({ name: own, documents, bytes }) => {
    return { name: own, expected: documents, found: 0, same: false, bytes };
  });
  return { findings: [finding], items };
}
