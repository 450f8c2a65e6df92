import { spawn } from "node:child_process";
import { mkdir, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { createInterface } from "node:readline";

/** Takes the lock on an open file, tells which file that was, and holds it until its input ends. */
const holder = 'exec 9>>"$1" && flock 9 && stat -L -c %i /proc/self/fd/9 && exec cat >/dev/null';

/**
 * Does something while no other process does it under the same lock file. The kernel drops the
 * lock when this process ends, however it ends, so no lock is ever stale.
 */
export async function withLock<T>(
  file: string,
  onWait: () => void,
  action: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  // Elsewhere there are no servers to guard, only tools to build.
  if (process.platform !== "linux") return action();
  for (;;) {
    const child = spawn("sh", ["-c", holder, "lock", file], { stdio: ["pipe", "pipe", "inherit"] });
    const ended = new Promise<number | null>((done) => child.once("close", done));
    const waiting = setTimeout(onWait, 500);
    try {
      const inode = await firstLine(child.stdout);
      clearTimeout(waiting);
      if (inode === undefined) throw new Error(`cannot lock ${file} (exit ${await ended})`);
      // The holder before us may have removed the file: then our lock guards nothing.
      if (inode !== (await inodeOf(file))) continue;
      return await action();
    } finally {
      clearTimeout(waiting);
      child.stdin.end();
      await ended;
    }
  }
}

/** Removes a lock file. Only its holder may; who waits for it notices and takes a new one. */
export async function removeLock(file: string): Promise<void> {
  await rm(file, { force: true });
}

async function firstLine(stream: NodeJS.ReadableStream): Promise<string | undefined> {
  for await (const line of createInterface({ input: stream })) return line.trim();
  return undefined;
}

async function inodeOf(file: string): Promise<string | undefined> {
  const status = await stat(file).catch(() => undefined);
  return status && String(status.ino);
}
