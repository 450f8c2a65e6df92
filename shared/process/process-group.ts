import type { ChildProcess } from "node:child_process";
import { codeOf } from "../failure/index.ts";

/** Between asking a program to end and ending it. */
const KILL_AFTER_MS = 3_000;
/** How long what a program left behind may keep its output open. */
const LINGER_MS = 1_000;

const running = new Set<ChildProcess>();

/** Whatever still runs when this process ends is ended with it: nobody else would. */
function endAllAtExit(): void {
  for (const child of running) kill(child, "SIGKILL");
}

/** How a program came to its end. */
export interface Ended {
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  /** Why it could not be started. */
  readonly error: Error | undefined;
}

/**
 * Waits until a program, the leader of its own process group, has ended and its output is read.
 * Then nothing of its group is left: what it started and left behind is killed, at the latest one
 * second after its end.
 */
export function endOf(child: ChildProcess): Promise<Ended> {
  if (running.size === 0) process.on("exit", endAllAtExit);
  running.add(child);
  return new Promise<Ended>((resolve) => {
    let lingering: NodeJS.Timeout | undefined;
    child.once("error", (error) => {
      resolve({ exitCode: undefined, killedBy: undefined, error });
    });
    child.once("exit", () => {
      lingering = setTimeout(() => {
        kill(child, "SIGKILL");
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, LINGER_MS);
    });
    child.once("close", (code, signal) => {
      clearTimeout(lingering);
      kill(child, "SIGKILL");
      resolve({ exitCode: code ?? undefined, killedBy: signal ?? undefined, error: undefined });
    });
  }).finally(() => {
    running.delete(child);
    if (running.size === 0) process.off("exit", endAllAtExit);
  });
}

/**
 * Waits until a program whose output somebody else reads has ended. What it started and left in
 * its group is killed a second later at the latest. Its output is left to its reader.
 */
export function endOfStreaming(child: ChildProcess): Promise<Omit<Ended, "error">> {
  if (running.size === 0) process.on("exit", endAllAtExit);
  running.add(child);
  return new Promise<Omit<Ended, "error">>((resolve) => {
    child.once("exit", (code, signal) => {
      const over = () => {
        clearTimeout(lingering);
        kill(child, "SIGKILL");
        child.stderr?.destroy();
        resolve({ exitCode: code ?? undefined, killedBy: signal ?? undefined });
      };
      const lingering = setTimeout(over, LINGER_MS);
      if (child.stderr === null || child.stderr.closed) over();
      else child.stderr.once("close", over);
    });
  }).finally(() => {
    running.delete(child);
    if (running.size === 0) process.off("exit", endAllAtExit);
  });
}

/** Ends a program and all of its group: asked at first, made to after three seconds. */
export function endGroup(child: ChildProcess): Disposable {
  kill(child, "SIGTERM");
  const killer = setTimeout(() => kill(child, "SIGKILL"), KILL_AFTER_MS);
  return { [Symbol.dispose]: () => clearTimeout(killer) };
}

/** Ends a program and all of its group at once. */
export function killGroup(child: ChildProcess): void {
  kill(child, "SIGKILL");
}

function kill(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    // Nobody is left in the group.
    if (codeOf(error) !== "ESRCH") throw error;
  }
}
