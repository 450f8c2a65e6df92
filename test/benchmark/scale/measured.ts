import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";

const KB = 1_024;
const MB = 1_000_000;
const LOOK_MS = 25;

export interface Measured {
  /** Milliseconds since the Unix epoch. */
  readonly endedAt: number;
  /** User and system time of the process. */
  readonly cpuSeconds: number;
  /** The most memory that was resident at any time. */
  readonly memoryMb: number;
  readonly lines: number;
}

/**
 * Runs a program and measures the whole of its process, from its start to its end.
 *
 * @throws {Error} when it ends with another status than 0, with the end of what it printed.
 */
export async function measured(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Measured> {
  // A shell's `times` tells what the kernel counted for the child, to its very end.
  const script = '"$@"; status=$?; times >&3; exit $status';
  const child = spawn("bash", ["-c", script, "measured", program, ...args], {
    env: { ...environment, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let printed = "";
  let lines = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      lines += chunk.split("\n").length - 1;
      printed = `${printed}${chunk}`.slice(-4_000);
    });
  }
  let times = "";
  child.stdio[3]?.on("data", (chunk: Buffer) => {
    times += chunk.toString();
  });
  let memory = 0;
  const timer = setInterval(async () => {
    memory = Math.max(memory, await peakOfChildren(child.pid ?? 0));
  }, LOOK_MS);
  const [status] = await once(child, "close");
  const endedAt = Date.now();
  clearInterval(timer);
  if (status !== 0) throw new Error(`${program} ended with status ${status}:\n${printed}`);
  return { endedAt, cpuSeconds: cpuOf(times), memoryMb: (memory * KB) / MB, lines };
}

/** The peaks of the resident memory of a process's children, in KiB: VmHWM never shrinks. */
async function peakOfChildren(pid: number): Promise<number> {
  try {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
    const peaks = children
      .split(" ")
      .filter(Boolean)
      .map(async (child) => {
        const status = await readFile(`/proc/${child}/status`, "utf8");
        return Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0);
      });
    return Math.max(0, ...(await Promise.all(peaks)));
  } catch {
    // It has just ended.
    return 0;
  }
}

/** The second line of `times` is about the children: `0m1.234s 0m0.567s`. */
function cpuOf(times: string): number {
  const [, children = ""] = times.trim().split("\n");
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0);
}
