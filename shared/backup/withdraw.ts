import { describe } from "../failure/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import type { Catalogue } from "./catalogue.ts";
import { MANIFEST } from "./identity.ts";

/**
 * No job lives longer: GitHub ends those of self-hosted runners after 5 days. What is older and has
 * no manifest belongs to no run any more.
 */
const SURELY_DEAD_MS = 6 * 24 * 3_600_000;

/**
 * Removes all files of a backup, its manifest first: from then on it counts no more, whatever
 * becomes of the rest.
 *
 * @returns what is left, each with the reason; empty when all is gone.
 */
export async function withdraw(
  storage: Storage,
  folder: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const names = await namesIn(storage, folder, signal);
    const manifest = `${folder}${MANIFEST}`;
    const rest = names.filter((name) => name !== manifest);
    const first = names.length > rest.length ? await storage.remove([manifest], signal) : [];
    const others = rest.length > 0 ? await storage.remove(rest, signal) : [];
    return [...first, ...others].map(({ name, reason }) => `${name}: ${reason}`);
  } catch (error) {
    return [`${folder}: ${describe(error)}`];
  }
}

async function namesIn(storage: Storage, folder: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of storage.list(folder, signal)) names.push(name);
  return names;
}

/**
 * Removes what killed runs have left of a series: folders without a manifest in which nothing was
 * written for longer than any job lives. It is never the reason why a backup fails.
 */
export async function removeLeftovers(
  { incomplete }: Catalogue,
  storage: Storage,
  { clock, log, signal }: World,
): Promise<void> {
  const dead = clock.now() - SURELY_DEAD_MS;
  for (const { folder } of incomplete.filter(({ touched }) => touched < dead)) {
    signal.throwIfAborted();
    const left = await withdraw(storage, folder, signal);
    if (left.length === 0) log.info(`Removed what a killed run left in ${folder}`);
    else log.warning(`What a killed run left in ${folder} stays: ${left.join("; ")}`);
  }
}
