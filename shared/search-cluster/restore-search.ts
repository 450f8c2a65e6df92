import type { Finding, Item } from "../proof/index.ts";
import type { World } from "../world/index.ts";
import { compareIndex } from "./compare.ts";
import type { SearchConnection } from "./connection.ts";
import type { IndexFingerprint, SearchFingerprint } from "./fingerprint.ts";
import { notRestored, readRestored } from "./read-restored.ts";
import { restoredName, restoreIndex } from "./restore.ts";

/** Where indices are restored from and to. */
export interface SearchRestore {
  readonly cluster: SearchConnection;
  readonly repository: string;
  readonly expected: SearchFingerprint;
  /** How many slices of an index are read at once. */
  readonly readers: number;
}

/** What came of an index under another name. */
export interface Beside {
  readonly index: IndexFingerprint;
  readonly as: string;
  readonly findings: readonly Finding[];
  readonly item: Item;
  /** How long the restore itself took. */
  readonly seconds: number;
}

/** Restores an index under another name, closed to writing, and holds every document of it. */
export async function restoreIndexBeside(
  { cluster, repository, expected, readers }: SearchRestore,
  index: IndexFingerprint,
  as: string,
  world: World,
): Promise<Beside> {
  const began = world.clock.now();
  const order = { repository, snapshot: expected.snapshot.name, index: index.name, as };
  const settings = { "index.blocks.write": true };
  const trouble = await restoreIndex(
    cluster,
    { ...order, bytes: index.bytes, checked: false, settings },
    world,
  );
  const seconds = (world.clock.now() - began) / 1_000;
  if (trouble !== undefined) return { index, as, ...notRestored(index, trouble), seconds };
  const found = await readRestored(cluster, index, as, { readers, world });
  return { index, as, ...compareIndex(index, found), seconds };
}

/** The name under which an index is restored before it gets its own. */
export function nameBeside({ name }: IndexFingerprint, now: number): string {
  return restoredName(name, now, "restore");
}

/** Holds an index under its own name against the fingerprint. */
export async function proveIndex(
  { cluster, readers }: SearchRestore,
  index: IndexFingerprint,
  world: World,
): Promise<{ readonly findings: readonly Finding[]; readonly item: Item }> {
  const found = await readRestored(cluster, index, index.name, { readers, world });
  return compareIndex(index, found);
}
