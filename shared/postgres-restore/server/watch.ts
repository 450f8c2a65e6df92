import { readdir, readFile, readlink, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { LimitReached } from "../target.ts";

/** The most that a throw-away server may take. */
export interface Limits {
  /** Milliseconds from its start to its end. */
  readonly time: number;
  /** Private memory of all its processes, in bytes. */
  readonly memory: number;
  /** Of its data folder, in bytes; undefined leaves it to `free`. */
  readonly disk?: number | undefined;
  /** What has to stay free of the disk, in bytes. */
  readonly free: number;
}

const LOOK_EVERY_MS = 500;
/** Adding up a data folder of many files takes its time. */
const WEIGH_EVERY = 6;
const MIB = 1024 * 1024;

/**
 * Watches a server of this machine, and tells once which limit it has reached.
 *
 * @param folder its data folder.
 */
export function watchServer(
  folder: string,
  limits: Limits,
  onLimit: (reached: LimitReached) => void,
): Disposable {
  let over = false;
  let round = 0;
  const reach = (reached: LimitReached | undefined) => {
    if (reached === undefined || over) return;
    over = true;
    onLimit(reached);
  };
  const timer = setTimeout(() => reach(timeOver(limits.time)), Math.min(limits.time, 2 ** 31 - 1));
  let next: NodeJS.Timeout;
  const look = async () => {
    round += 1;
    reach(await diskOver(folder, limits, round % WEIGH_EVERY === 0));
    reach(await memoryOver(folder, limits.memory));
    if (!over) next = setTimeout(() => void look(), LOOK_EVERY_MS).unref();
  };
  next = setTimeout(() => void look(), LOOK_EVERY_MS).unref();
  return {
    [Symbol.dispose]() {
      over = true;
      clearTimeout(timer);
      clearTimeout(next);
    },
  };
}

function timeOver(milliseconds: number): LimitReached {
  return new LimitReached("time", `It took longer than its limit of ${milliseconds / 1_000} s.`);
}

async function diskOver(
  folder: string,
  limits: Limits,
  weigh: boolean,
): Promise<LimitReached | undefined> {
  // The folder may be gone already: then there is nothing to be watched.
  const system = await statfs(folder).catch(() => undefined);
  if (system === undefined) return undefined;
  const free = system.bavail * system.bsize;
  if (free < limits.free) {
    return new LimitReached(
      "disk",
      `The disk under ${folder} is full: ${told(free)} are left, and ${told(limits.free)} have to stay free.`,
    );
  }
  if (limits.disk === undefined || !weigh) return undefined;
  const taken = await weightOf(folder);
  if (taken <= limits.disk) return undefined;
  return new LimitReached(
    "disk",
    `The restored data take ${told(taken)}, more than the limit of ${told(limits.disk)}.`,
  );
}

async function weightOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    // What was removed meanwhile weighs nothing.
    const file = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    sum += (file?.blocks ?? 0) * 512;
  }
  return sum;
}

async function memoryOver(folder: string, limit: number): Promise<LimitReached | undefined> {
  const used = await privateMemoryOf(folder);
  if (used <= limit) return undefined;
  return new LimitReached(
    "memory",
    `The server used ${told(used)} of memory, more than its limit of ${told(limit)}.`,
  );
}

/** Of all processes that work in the folder, as every process of a server does. */
async function privateMemoryOf(folder: string): Promise<number> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  let sum = 0;
  for (const id of processes) {
    const directory = await readlink(`/proc/${id}/cwd`).catch(() => "");
    if (directory !== folder) continue;
    const status = await readFile(`/proc/${id}/status`, "utf8").catch(() => "");
    sum += Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return sum;
}

function told(bytes: number): string {
  return bytes < 1024 * MIB
    ? `${Math.round(bytes / MIB)} MiB`
    : `${(bytes / 1024 / MIB).toFixed(1)} GiB`;
}
