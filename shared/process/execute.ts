import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { codeOf } from "../failure/index.ts";
import type { Secrets } from "../secrets/index.ts";
import { CommandFailed } from "./command-failed.ts";
import { Tail } from "./tail.ts";

const TAIL_CHARACTERS = 16_384;
const KILL_AFTER_MS = 3_000;

/** A program and its arguments: never a line for a shell. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory?: string | undefined;
  /** Added to the environment of this process; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Written to standard input, which is then closed. */
  readonly input?: string | undefined;
}

export interface Execution {
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
  /** The longest it may take, in milliseconds; no limit when left out. */
  readonly deadline?: number | undefined;
  /** Sees each whole line as it comes, redacted. */
  readonly onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
  /** The most of standard output that is kept, in characters; 64 Mi when left out. */
  readonly keep?: number | undefined;
}

export interface Completed {
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/**
 * Runs a program to its end.
 *
 * On cancellation or at the deadline its whole process group gets SIGTERM, and SIGKILL three
 * seconds later: a child it started cannot outlive it. Standard output is given back whole (not
 * redacted, for it may be data), standard error as its last 16 Ki characters.
 *
 * @throws {CommandFailed} when it cannot be found or started, fails, is killed, or is too slow.
 */
export async function execute(command: Command, execution: Execution): Promise<Completed> {
  const began = performance.now();
  execution.signal.throwIfAborted();
  const child = start(command);
  const stdout = new Tail(execution.keep ?? 64 * 1024 * 1024);
  const stderr = new Tail(TAIL_CHARACTERS);
  collect(child.stdout, stdout, "stdout", execution);
  collect(child.stderr, stderr, "stderr", execution);
  const stopped = stopWhenDue(child, execution);
  const ended = await end(child);
  const why = stopped.done();
  const milliseconds = performance.now() - began;
  if (ended.exitCode === 0) return { stdout: `${stdout}`, stderr: `${stderr}`, milliseconds };
  throw failure(command, execution, {
    ...ended,
    why,
    stdout: `${stdout}`,
    stderr: `${stderr}`,
    milliseconds,
  });
}

type Child = ChildProcess & { readonly stdout: Readable; readonly stderr: Readable };

function start({ program, args, directory, environment, input }: Command): Child {
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...environment },
    // A group of its own, so that it can be ended together with what it starts.
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // A program that does not read its input closes it early; its exit status tells what matters.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return child as Child;
}

function collect(
  stream: Readable,
  into: Tail,
  name: "stdout" | "stderr",
  { onLine, secrets }: Execution,
): void {
  const decoder = new StringDecoder("utf8");
  stream.on("data", (chunk: Buffer) => into.append(decoder.write(chunk)));
  if (onLine === undefined) return;
  createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => {
    onLine(secrets.redact(line), name);
  });
}

function stopWhenDue(child: ChildProcess, { signal, deadline }: Execution) {
  let why: "cancelled" | "deadline" | undefined;
  let killer: NodeJS.Timeout | undefined;
  const stop = (reason: "cancelled" | "deadline") => {
    if (why !== undefined) return;
    why = reason;
    killGroup(child, "SIGTERM");
    killer = setTimeout(() => killGroup(child, "SIGKILL"), KILL_AFTER_MS);
  };
  const onAbort = () => stop("cancelled");
  signal.addEventListener("abort", onAbort, { once: true });
  const timer = deadline === undefined ? undefined : setTimeout(stop, deadline, "deadline");
  return {
    done() {
      clearTimeout(timer);
      clearTimeout(killer);
      signal.removeEventListener("abort", onAbort);
      return why;
    },
  };
}

function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

interface Ended {
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  readonly error: Error | undefined;
}

function end(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ exitCode: undefined, killedBy: undefined, error }));
    child.once("close", (code, signal) => {
      resolve({ exitCode: code ?? undefined, killedBy: signal ?? undefined, error: undefined });
    });
  });
}

function failure(
  { program, args }: Command,
  { secrets, deadline }: Execution,
  end: Ended & {
    readonly why: "cancelled" | "deadline" | undefined;
    readonly stdout: string;
    readonly stderr: string;
    readonly milliseconds: number;
  },
): CommandFailed {
  const why = whyOf(end);
  const what = {
    "not-found": `${program} was not found on the PATH`,
    "not-startable": `${program} could not be started: ${end.error?.message}`,
    cancelled: `${program} was ended because the job was cancelled`,
    deadline: `${program} was ended after ${(deadline ?? 0) / 1_000} s, its deadline`,
    signal: `${program} was killed by ${end.killedBy}`,
    exit: `${program} ended with exit status ${end.exitCode}`,
  }[why];
  return new CommandFailed({
    message: secrets.redact(what),
    commandLine: secrets.redact([program, ...args].join(" ")),
    why,
    exitCode: end.exitCode,
    killedBy: end.killedBy,
    stdoutTail: secrets.redact(end.stdout.slice(-TAIL_CHARACTERS)),
    stderrTail: secrets.redact(end.stderr),
    milliseconds: end.milliseconds,
  });
}

function whyOf(
  end: Ended & { readonly why: "cancelled" | "deadline" | undefined },
): CommandFailed["why"] {
  if (end.error !== undefined)
    return codeOf(end.error) === "ENOENT" ? "not-found" : "not-startable";
  return end.why ?? (end.killedBy === undefined ? "exit" : "signal");
}
