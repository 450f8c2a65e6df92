import { spawn } from "node:child_process";
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bed } from "./bed.ts";
import type { Command } from "./piece.ts";
import { withoutSync } from "./without-sync.ts";

/** Every server of a bed, and every child of one, carries these: the bed's folder, and its name. */
const bedMarker = "SEAWORTHY_TESTBED_PROCESS_OF";
const serverMarker = "SEAWORTHY_TESTBED_SERVER";

/** A process that cannot be mistaken for a later one that got the same number. */
interface Identity {
  readonly pid: number;
  readonly startTime: string;
}

/** Starts a server in the background and records it. */
export async function startProcess(bed: Bed, name: string, command: Command): Promise<number> {
  const node = command.inside === "node" ? await runningProcess(bed, "node") : undefined;
  const [program = "", ...args] = [
    ...enter(command, node),
    ...withoutSync(),
    command.program,
    ...command.args,
  ];
  await mkdir(bed.path("logs"), { recursive: true });
  const log = await open(bed.path("logs", `${name}.log`), "a", 0o600);
  try {
    const child = spawn(program, args, {
      cwd: bed.state,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: {
        PATH: process.env.PATH ?? "",
        ...command.env,
        [bedMarker]: bed.state,
        [serverMarker]: name,
      },
    });
    await new Promise<void>((started, failed) => {
      child.once("spawn", started);
      child.once("error", failed);
    });
    child.unref();
    const pid = child.pid ?? 0;
    await record(bed, name, { pid, startTime: (await startTime(pid)) ?? "ended" });
    return pid;
  } finally {
    await log.close();
  }
}

/** What comes before a program so that it runs where it should; it keeps the process's number. */
function enter(command: Command, node: number | undefined): string[] {
  switch (command.inside) {
    case "mounts":
      return ["unshare", "--mount", "--propagation", "private", "--"];
    case "node":
      if (node === undefined) throw new Error(`the node is not running: cannot enter it`);
      return ["nsenter", `--target=${node}`, "--net", "--mount", "--"];
    default:
      return [];
  }
}

/** The number of a server's process, if it is running. */
export async function runningProcess(bed: Bed, name: string): Promise<number | undefined> {
  const text = await readFile(bed.path("processes", name), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { pid, startTime: recorded } = JSON.parse(text) as Identity;
  return (await startTime(pid)) === recorded ? pid : undefined;
}

/** Ends servers: asks, and after a while insists. Resolves when all are gone. */
export async function stopProcesses(bed: Bed, names: Iterable<string>, grace: number) {
  await Promise.all(
    [...names].map(async (name) => {
      const pid = await runningProcess(bed, name);
      if (pid !== undefined) await end([pid], grace);
      await rm(bed.path("processes", name), { force: true });
    }),
  );
}

/**
 * Ends servers of this bed that no record tells of: a kill of the test bed itself between starting
 * and recording them leaves such. What a server started (a container's shim, say) is no session
 * leader, and is spared: containerd finds its containers again when it is started anew.
 */
export async function endStrays(bed: Bed, recorded: ReadonlySet<number>): Promise<void> {
  const strays: number[] = [];
  for (const pid of (await processesOf(bed)).keys()) {
    const isLeader = (await statusFields(pid))?.[sessionField] === String(pid);
    if (isLeader && !recorded.has(pid)) strays.push(pid);
  }
  await end(strays, 0);
}

/** Ends these servers with all that they started, without asking. */
export async function endWithChildren(bed: Bed, names: ReadonlySet<string>): Promise<void> {
  const found = await processesOf(bed);
  const pids = [...found.keys()].filter((pid) => names.has(found.get(pid) ?? ""));
  await end(pids, 0);
}

/** Ends everything that this bed ever started, without asking. */
export async function endAll(bed: Bed): Promise<void> {
  // Once more, for what was being started meanwhile.
  for (let all = await processesOf(bed); all.size > 0; all = await processesOf(bed)) {
    await end([...all.keys()], 0);
  }
}

/** All processes of this bed and their children, with the server that each is of. */
async function processesOf(bed: Bed): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  await Promise.all(
    (await numbers("/proc")).map(async (pid) => {
      // Unreadable means gone, or another user's.
      const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
      const environment = text.split("\0");
      if (!environment.includes(`${bedMarker}=${bed.state}`) || pid === process.pid) return;
      const named = environment.find((variable) => variable.startsWith(`${serverMarker}=`));
      found.set(pid, named?.slice(serverMarker.length + 1) ?? "");
    }),
  );
  return found;
}

async function end(pids: readonly number[], grace: number): Promise<void> {
  const identities = new Map<number, string>();
  for (const pid of pids) {
    const started = await startTime(pid);
    if (started !== undefined) identities.set(pid, started);
  }
  const signal = async (name: NodeJS.Signals) => {
    for (const [pid, started] of identities) {
      if ((await startTime(pid)) !== started) identities.delete(pid);
      else kill(pid, name);
    }
  };
  const insistAt = Date.now() + grace;
  if (grace > 0) await signal("SIGTERM");
  for (let wait = 5; identities.size > 0; wait = Math.min(wait * 2, 100)) {
    if (Date.now() >= insistAt) await signal("SIGKILL");
    if (Date.now() > insistAt + 30_000) {
      throw new Error(
        `these processes do not end when killed: ${[...identities.keys()].join(", ")}`,
      );
    }
    await sleep(wait);
    for (const [pid, started] of identities) {
      if ((await startTime(pid)) !== started) identities.delete(pid);
    }
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** When a process started, in ticks since the machine did; undefined if it has ended. */
async function startTime(pid: number): Promise<string | undefined> {
  const fields = await statusFields(pid);
  const [state] = fields ?? [];
  if (!fields || state === "Z" || state === "X") return undefined;
  return `${fields[startTimeField]}@${await bootId()}`;
}

// Places in /proc/PID/stat, counted from the third field on.
const sessionField = 3;
const startTimeField = 19;

async function statusFields(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the program's name in brackets, which may hold spaces and brackets.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

let boot: Promise<string> | undefined;

function bootId(): Promise<string> {
  boot ??= readFile("/proc/sys/kernel/random/boot_id", "utf8").then((id) => id.trim());
  return boot;
}

async function record(bed: Bed, name: string, identity: Identity): Promise<void> {
  const file = bed.path("processes", name);
  await mkdir(bed.path("processes"), { recursive: true });
  await writeFile(join(bed.state, `${name}.process`), JSON.stringify(identity));
  await rename(join(bed.state, `${name}.process`), file);
}

async function numbers(folder: string): Promise<number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Tells whether the process, in its own network namespace, listens on this TCP port. */
export async function listens(pid: number, port: number): Promise<boolean> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const isListening = new RegExp(`^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 0A `, "m");
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/${pid}/net/${name}`, "utf8").catch(() => "")),
  );
  return tables.some((table) => isListening.test(table));
}

/** Tells whether something accepts connections at this Unix socket. */
export function connects(socket: string): Promise<boolean> {
  return new Promise((done) => {
    const connection = connect(socket);
    connection.once("error", () => done(false));
    connection.once("connect", () => {
      done(true);
      connection.destroy();
    });
  });
}
