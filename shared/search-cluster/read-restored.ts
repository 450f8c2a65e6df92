import type { Finding, Item } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import type { RestoredIndex } from "./compare.ts";
import type { SearchConnection } from "./connection.ts";
import { sumDocuments } from "./documents.ts";
import { expectedContent, type IndexFingerprint } from "./fingerprint.ts";

/** Reads an index of the given name, every document of it, to hold it against a fingerprint. */
export async function readRestored(
  cluster: SearchConnection,
  index: IndexFingerprint,
  as: string,
  { readers, world }: { readonly readers: number; readonly world: World },
): Promise<RestoredIndex> {
  const path = `/${encodeURIComponent(as)}`;
  interface Definition {
    readonly mappings?: unknown;
    readonly settings?: Readonly<Record<string, unknown>>;
  }
  const answer = await cluster.ask<Record<string, Definition>>("GET", `${path}?flat_settings=true`);
  const { count } = await cluster.ask<{ count: number }>("GET", `${path}/_count`);
  const expected = expectedContent(index);
  const content =
    expected &&
    (await sumDocuments(cluster, as, {
      ...{ signal: world.signal, readers },
      buckets: expected.before.counts.length,
      bytesPerDocument: (2 * index.bytes) / Math.max(1, index.documents),
    }));
  const { mappings = {}, settings = {} } = answer[as] ?? {};
  return { documents: count, content, mappings, settings };
}

/** An index that does not come up. */
export function notRestored(
  index: IndexFingerprint,
  trouble: string,
): { readonly findings: readonly Finding[]; readonly item: Item } {
  const what = `It cannot be restored: ${trouble.replace(/\.?$/, ".")}`;
  const finding: Finding = {
    ...{
      detector: "restore",
      tier: "data",
      weight: "damage",
      subject: `index ${index.name}`,
      what,
    },
  };
  const { name, documents, bytes } = index;
  return { findings: [finding], item: { name, expected: documents, found: 0, same: false, bytes } };
}
