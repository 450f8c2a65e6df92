import { randomUUID } from "node:crypto";
import {
  lstat,
  mkdir,
  open,
  opendir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type { StoredBackup } from "../../../shared/backup/index.ts";
import {
  type DirectoryFingerprint,
  directorySource,
  giveTraits,
  restoreMembers,
} from "../../../shared/directory/index.ts";
import { codeOf } from "../../../shared/failure/index.ts";
import { localPlace } from "../../../shared/place/index.ts";
import type { World } from "../../../shared/world/index.ts";
import type { Files, Move, PathKind } from "./files.ts";

const TOUCH_EVERY_MS = 10_000;

/** The file system of this machine. */
export class LocalFiles implements Files {
  readonly where = "";
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async real(path: string): Promise<string> {
    const whole = resolve(path);
    try {
      return await realpath(whole);
    } catch (error) {
      if (codeOf(error) !== "ENOENT" || whole === dirname(whole)) throw error;
      return join(await this.real(dirname(whole)), basename(whole));
    }
  }

  async kindOf(path: string): Promise<PathKind> {
    const facts = await lstat(path).catch(absent);
    if (facts === undefined) return "absent";
    if (facts.isDirectory()) return "folder";
    return facts.isSymbolicLink() ? "link" : "other";
  }

  async names(folder: string, most = Infinity): Promise<readonly string[]> {
    const names: string[] = [];
    for await (const { name } of await opendir(folder)) {
      names.push(name);
      if (names.length >= most) break;
    }
    return names.sort();
  }

  async isMount(path: string): Promise<boolean> {
    const [own, around] = await Promise.all([stat(path), stat(dirname(path))]);
    if (own.dev !== around.dev) return true;
    // What is bound from the same file system shows in this list only.
    const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
    return mounts.split("\n").some((line) => unescaped(line.split(" ")[4] ?? "") === path);
  }

  async makeFolder(path: string): Promise<boolean> {
    try {
      await mkdir(path, { mode: 0o700 });
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  async makeAround(path: string): Promise<readonly string[]> {
    const missing: string[] = [];
    for (let at = dirname(path); (await this.kindOf(at)) === "absent"; at = dirname(at)) {
      missing.unshift(at);
    }
    for (const each of missing) await mkdir(each);
    return missing;
  }

  async removeEmpty(folder: string): Promise<void> {
    await rmdir(folder).catch((error: unknown) => {
      if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(codeOf(error) ?? "")) throw error;
    });
  }

  async create(path: string, text: string): Promise<boolean> {
    try {
      await using file = await open(path, "wx", 0o600);
      await file.writeFile(text);
      await file.sync();
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  async read(path: string): Promise<string | undefined> {
    return await readFile(path, "utf8").catch(absent);
  }

  async move(moves: readonly Move[]): Promise<void> {
    for (const { from, to } of moves) await rename(from, to);
  }

  async remove(path: string, signal: AbortSignal): Promise<void> {
    const removing = rm(path, { recursive: true, force: true, maxRetries: 2 });
    removing.catch(() => {});
    const over = Promise.withResolvers<never>();
    const end = () => over.reject(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    try {
      await Promise.race([removing, over.promise]);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  async idle(path: string): Promise<number | undefined> {
    const facts = await stat(path).catch(absent);
    if (facts === undefined) return undefined;
    // By the clock of the file system, which may be another machine's.
    const probe = join(dirname(path), `.now-${randomUUID()}`);
    try {
      await writeFile(probe, "");
      return (await stat(probe)).mtimeMs - facts.mtimeMs;
    } finally {
      await rm(probe, { force: true });
    }
  }

  async keepAlive(path: string): Promise<AsyncDisposable> {
    const words = await readFile(path);
    // Written anew, so that the time is the file system's own. Where it fails, the lock looks idle,
    // which is what it then is.
    const touch = () => void overwrite(path, words).catch(() => {});
    const timer = setInterval(touch, TOUCH_EVERY_MS);
    timer.unref();
    return { [Symbol.asyncDispose]: async () => clearInterval(timer) };
  }

  async isAlive(words: string): Promise<boolean | undefined> {
    const [machine, pid = "", began] = words.split(" ");
    const own = await machineId();
    if (machine !== own || own === undefined) return undefined;
    return (await beginningOf(pid)) === began;
  }

  async identity(): Promise<string> {
    const pid = `${process.pid}`;
    return `${(await machineId()) ?? hostname()} ${pid} ${(await beginningOf(pid)) ?? "?"}`;
  }

  async flush(path: string): Promise<void> {
    const { secrets, signal, log } = this.#world;
    const command = { program: "sync", args: ["-f", path] };
    try {
      const running = await localPlace(secrets).start(command, signal);
      running.stdout.resume();
      const { exitCode, message } = await running.ended;
      if (exitCode !== 0) log.debug(`What was restored is not flushed to the disk: ${message}`);
    } catch (error) {
      signal.throwIfAborted();
      log.debug(`What was restored is not flushed to the disk: ${String(error)}`);
    }
  }

  async giveTraits(folder: string, from: string): Promise<void> {
    await giveTraits(folder, await stat(from));
  }

  source(path: string, only: readonly string[] | undefined) {
    return directorySource({ path, only });
  }

  async fill(
    backup: StoredBackup,
    fingerprint: DirectoryFingerprint,
    to: Parameters<Files["fill"]>[2],
  ) {
    return await restoreMembers(backup, fingerprint, to, this.#world);
  }
}

async function overwrite(path: string, words: Buffer): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(words, 0, words.length, 0);
}

function absent(error: unknown): undefined {
  if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return undefined;
  throw error;
}

/** Paths in the list of mounts have signs as octal numbers. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** Where process ids mean the same: a boot of a machine, and a namespace of it. */
async function machineId(): Promise<string | undefined> {
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    return `${boot}/${(await readlink("/proc/self/ns/pid")).replace(/\D/g, "")}`;
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the boot; undefined where there is none. */
async function beginningOf(pid: string): Promise<string | undefined> {
  if (!/^\d+$/.test(pid)) return undefined;
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The name, in parentheses, may have spaces in it.
  return line?.slice(line.lastIndexOf(")") + 2).split(" ")[19];
}
