import { UserError } from "../../../shared/failure/index.ts";
import type { Finding, Item } from "../../../shared/proof/index.ts";
import {
  type Beside,
  type IndexFingerprint,
  indicesOf,
  nameBeside,
  removeIndex,
  restoreIndexBeside,
  switchIndex,
} from "../../../shared/search-cluster/index.ts";
import type { Means, Restored } from "../restored.ts";
import { anewOf, freeStream } from "./anew.ts";
import type { IndicesRestore } from "./restore.ts";
import { aliasesFor, told } from "./told.ts";

/**
 * Restores every index under another name and proves each of its documents there. Only when all are
 * as they were, the old ones go and the new ones take their names, one after the other; data streams,
 * which no index can be put into, are restored anew from the same snapshot and proven again. What an
 * interrupted run leaves, the next one removes.
 */
export async function restoreBeside(restore: IndicesRestore, means: Means): Promise<Restored> {
  const { plan, cluster } = restore;
  const { world, journal } = means;
  const besides: Beside[] = [];
  const made = new Set<string>();
  try {
    world.log.info(`Restoring ${indicesOf(plan).length} indices under other names`);
    await journal.phase("restore and compare", async () => {
      for (const index of indicesOf(plan)) {
        const as = nameBeside(index, world.clock.now());
        made.add(as);
        besides.push(await restoreIndexBeside(restore, index, as, world));
        world.log.info(`Index ${index.name} is restored as ${as}`);
      }
    });
    const findings = besides.flatMap((beside) => beside.findings);
    const seconds = besides.reduce((sum, beside) => sum + beside.seconds, 0);
    const items = besides.map(({ item }) => item);
    const isSound = findings.every(({ weight }) => weight !== "damage");
    if (!isSound) return told(restore, { findings, items, seconds }, false, false);
    return await journal.phase("switch", () =>
      switchAll(restore, { besides, made, findings, items, seconds }, means),
    );
  } finally {
    for (const name of made) await removeIndex(cluster, name, world);
  }
}

interface Proven {
  readonly besides: readonly Beside[];
  /** Indices that are removed at the end. */
  readonly made: Set<string>;
  readonly findings: readonly Finding[];
  readonly items: readonly Item[];
  readonly seconds: number;
}

async function switchAll(
  restore: IndicesRestore,
  { besides, made, findings, items, seconds }: Proven,
  means: Means,
): Promise<Restored> {
  const { plan, cluster, occupants } = restore;
  const { world } = means;
  const notes: Finding[] = [];
  const done: string[] = [];
  for (const { index, as } of besides.filter(({ index }) => plan.indices.includes(index))) {
    const { aliases, left } = aliasesFor(index, occupants);
    notes.push(...left);
    const isReplaced = occupants.indices.has(index.name);
    try {
      notes.push(...(await switchIndex(cluster, { index, as, isReplaced, aliases }, world)));
      await requireCount(restore, index, items);
    } catch (error) {
      // What is proven is the only copy at the cluster now.
      if (error instanceof UserError && /could not be given its name/.test(error.title)) {
        made.delete(as);
      }
      throw partly(error, done, means);
    }
    done.push(index.name);
    await removeIndex(cluster, as, world);
    made.delete(as);
    world.log.info(`Index ${index.name} is in its place`);
  }
  const anew: Finding[] = [];
  for (const stream of plan.streams) {
    for (const { index, as } of besides) {
      if (!stream.indices.includes(index)) continue;
      await removeIndex(cluster, as, world);
      made.delete(as);
    }
    await freeStream(restore, stream.name);
    const result = await anewOf(restore, stream, means);
    anew.push(...result.findings);
    world.log.info(`Data stream ${stream.name} is in its place`);
  }
  const isSound = anew.every(({ weight }) => weight !== "damage");
  return told(
    restore,
    { findings: [...findings, ...notes, ...anew], items, seconds },
    isSound,
    true,
  );
}

/** A clone has the files of what was proven; that it has them all, its own count says. */
async function requireCount(
  { cluster }: IndicesRestore,
  index: IndexFingerprint,
  items: readonly Item[],
): Promise<void> {
  const path = `/${encodeURIComponent(index.name)}`;
  await cluster.ask("POST", `${path}/_refresh`);
  const { count } = await cluster.ask<{ count: number }>("GET", `${path}/_count`);
  const proven = items.find(({ name }) => name === index.name)?.found ?? index.documents;
  if (count >= proven) return;
  throw new UserError({
    title: `Index ${index.name} has fewer documents than were proven`,
    cause: `It has ${count} under its own name, and ${proven} were proven: somebody deletes from it.`,
    remedy: "Stop who writes to it, and run again.",
  });
}

function partly(error: unknown, done: readonly string[], { world }: Means): unknown {
  if (done.length > 0) {
    world.log.warning(
      `These indices hold the backup already: ${done.join(", ")}. Those that are not named are as they were, but for what the failure says.`,
      "A part was restored",
    );
  }
  return error;
}
