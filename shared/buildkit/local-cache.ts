import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../failure/index.ts";
import type { LocalPlace } from "./cache.ts";

/** What a run that was killed has left is removed by the first run after this time. */
const FORGOTTEN_MS = 24 * 3_600_000;

/** One service's cache in a folder of this machine, for the time of a build. */
export interface LocalCache extends AsyncDisposable {
  readonly place: LocalPlace;
  /** Puts what was written in the place of what was there; nothing happens when nothing was. */
  settle(): Promise<void>;
}

/** Where local caches are kept unless said otherwise: it outlives the job on a runner of one's own. */
export function localCacheFolder(
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const base = environment.XDG_CACHE_HOME || join(environment.HOME || homedir(), ".cache");
  return join(base, "seaworthy", "buildkit");
}

/**
 * Opens the cache of one service. BuildKit only ever adds to a folder, so that it would grow for
 * ever: each build writes a new one, which takes the old one's place when it is whole.
 *
 * @throws what the file system says.
 */
export async function openLocalCache(folder: string, service: string): Promise<LocalCache> {
  const name = encodeURIComponent(service);
  const current = join(folder, name);
  await mkdir(folder, { recursive: true });
  await heal(folder, name, current);
  const fresh = join(folder, `.${name}~${randomUUID()}`);
  const from = (await isCache(current)) ? current : undefined;
  return {
    place: { from, to: fresh },
    async settle() {
      if (!(await isCache(fresh))) return;
      const old = `${fresh}.old`;
      await rename(current, old).catch(ignoreAbsent);
      await rename(fresh, current).catch((error: unknown) => {
        // A build beside this one was quicker: its cache is as good.
        if (!/^(ENOTEMPTY|EEXIST)$/.test(codeOf(error) ?? "")) throw error;
      });
      await rm(old, { recursive: true, force: true });
    },
    async [Symbol.asyncDispose]() {
      await rm(fresh, { recursive: true, force: true });
    },
  };
}

/** Takes up what a run that was killed between two renames left, and removes what nobody wants. */
async function heal(folder: string, name: string, current: string): Promise<void> {
  const all = await readdir(folder);
  const remains = all.filter((entry) => entry.startsWith(`.${name}~`));
  const usable = remains.find((entry) => entry.endsWith(".old"));
  if (usable !== undefined && !all.includes(name)) {
    await rename(join(folder, usable), current).catch(ignoreAbsent);
  }
  await Promise.all(
    remains.map(async (entry) => {
      const path = join(folder, entry);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || Date.now() - found.mtimeMs < FORGOTTEN_MS) return;
      await rm(path, { recursive: true, force: true });
    }),
  );
}

/** Whether BuildKit has written a cache there to its end: the index comes last. */
async function isCache(folder: string): Promise<boolean> {
  return (await stat(join(folder, "index.json")).catch(() => undefined))?.isFile() === true;
}

function ignoreAbsent(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}
