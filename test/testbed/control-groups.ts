import { mkdir, readdir, readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bed } from "./bed.ts";

const root = "/sys/fs/cgroup";

/** Makes the bed's control group below each controller; kubelet and BuildKit put theirs in it. */
export async function makeControlGroups(bed: Bed): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    await mkdir(join(hierarchy, bed.controlGroup), { recursive: true });
  }
}

/** Kills what runs in the bed's control groups (its containers) and removes them. */
export async function removeControlGroups(bed: Bed, ...below: string[]): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (const hierarchy of await hierarchies()) {
    const group = join(hierarchy, bed.controlGroup, ...below);
    while (!(await remove(group))) {
      if (Date.now() > deadline) {
        throw new Error(`the control group ${group} does not become empty: see its cgroup.procs`);
      }
      await sleep(20);
    }
  }
}

/** Version 1 has a hierarchy for each controller, version 2 a single one. */
async function hierarchies(): Promise<string[]> {
  const names = await readdir(root, { withFileTypes: true });
  if (names.some(({ name }) => name === "cgroup.controllers")) return [root];
  return names.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
}

/** One try from the leaves up; false if something in there was still alive. */
async function remove(group: string): Promise<boolean> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return true;
  let isEmpty = true;
  for (const entry of entries) {
    if (entry.isDirectory()) isEmpty = (await remove(join(group, entry.name))) && isEmpty;
  }
  const members = await readFile(join(group, "cgroup.procs"), "utf8").catch(() => "");
  for (const pid of members.split("\n").map(Number)) {
    // 0 stands for a process that this one cannot see, and would be ourselves to kill.
    if (pid === 0) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself between reading and killing.
    }
  }
  if (!isEmpty) return false;
  return rmdir(group).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}
