import { describe } from "../failure/index.ts";
import type { Storage } from "../storage/index.ts";
import type { World } from "../world/index.ts";
import { folderOf, MANIFEST, timeOfId } from "./identity.ts";

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

/** A backup's folder without a manifest, whose run is surely over. */
interface Leftover {
  readonly folder: string;
  readonly bytes: number;
}

/**
 * Removes what killed runs have left of a series: folders without a manifest in which nothing was
 * written for longer than any job lives. It is never the reason why a backup fails.
 */
export async function removeLeftovers(storage: Storage, name: string, world: World): Promise<void> {
  try {
    for (const { folder } of await leftovers(storage, name, world)) {
      const left = await withdraw(storage, folder, world.signal);
      if (left.length === 0) world.log.info(`Removed what a killed run left in ${folder}`);
      else world.log.warning(`What a killed run left in ${folder} stays: ${left.join("; ")}`);
    }
  } catch (error) {
    world.signal.throwIfAborted();
    world.log.warning(`Leftovers of killed runs could not be looked for: ${describe(error)}`);
  }
}

async function leftovers(storage: Storage, name: string, world: World): Promise<Leftover[]> {
  const folders = new Map<string, { bytes: number; newest: number; counts: boolean }>();
  for await (const { name: file, bytes, modified } of storage.list(`${name}/`, world.signal)) {
    const [, id = "", ...rest] = file.split("/");
    const began = timeOfId(id);
    if (began === undefined || rest.length === 0) continue;
    const folder = folderOf(name, id);
    const known = folders.get(folder) ?? { bytes: 0, newest: began, counts: false };
    folders.set(folder, {
      bytes: known.bytes + bytes,
      newest: Math.max(known.newest, modified),
      counts: known.counts || rest.join("/") === MANIFEST,
    });
  }
  const dead = world.clock.now() - SURELY_DEAD_MS;
  return [...folders]
    .filter(([, { counts, newest }]) => !counts && newest < dead)
    .map(([folder, { bytes }]) => ({ folder, bytes }));
}
