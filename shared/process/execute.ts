import type { ChildProcess } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import type { Secrets } from "../secrets/index.ts";
import { CommandFailed } from "./command-failed.ts";
import { leash } from "./leash.ts";
import { Lines } from "./lines.ts";
import { type Ended, endGroup, endOf, killGroup } from "./process-group.ts";
import { type Command, start, startProblem } from "./start.ts";
import { Tail } from "./tail.ts";

const TAIL_CHARACTERS = 16_384;
const MOST_OUTPUT = 64 * 1024 * 1024;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Execution {
  /** Ends the program when it aborts. */
  readonly signal: AbortSignal;
  readonly secrets: Secrets;
  /** It is ended without being asked to first, for nothing that it does is worth an orderly end. */
  readonly abrupt?: boolean | undefined;
  /** The longest it may take, in milliseconds; no limit when left out. */
  readonly deadline?: number | undefined;
  /** Sees each whole line as it comes, redacted. What it throws ends the program. */
  readonly onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
  /**
   * Of standard output only the end is wanted, that many characters. Left out, it is wanted whole,
   * and a program that prints more than 64 Mi characters fails.
   */
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
 * seconds later, or at once where that is asked for; nothing it started and left in its group outlives it. Standard output is given
 * back not redacted, for it may be data; standard error as its last 16 Ki characters, redacted.
 *
 * @throws {CommandFailed} when it cannot be found or started, fails, is killed, is too slow, or
 * was cancelled while it ran. The signal's own reason when it had aborted before.
 */
export async function execute(command: Command, execution: Execution): Promise<Completed> {
  const { signal, secrets, keep } = execution;
  signal.throwIfAborted();
  const began = performance.now();
  const stdout = new Tail(keep ?? MOST_OUTPUT);
  const stderr = new Tail(2 * TAIL_CHARACTERS);
  const failed = (how: How) =>
    new CommandFailed({
      message: secrets.redact(how.message),
      commandLine: secrets.redact([command.program, ...command.args].map(quoted).join(" ")),
      why: how.why,
      exitCode: how.exitCode,
      killedBy: how.killedBy,
      stdoutTail: lastPart(stdout, secrets),
      stderrTail: lastPart(stderr, secrets),
      milliseconds: performance.now() - began,
    });
  let child: ChildProcess;
  try {
    child = start(command);
  } catch (error) {
    throw failed(startProblem(command, error));
  }
  using stop = stopper(child, execution);
  using _ =
    command.leashed === true && child.pid !== undefined ? leash({ group: child.pid }) : null;
  read(child, "stderr", stderr, execution, stop);
  read(child, "stdout", stdout, execution, stop, () => {
    if (keep === undefined && stdout.cut) stop.because({ why: "output" });
  });
  const ended = await endOf(child);
  if (ended.error !== undefined) throw failed(startProblem(command, ended.error));
  if (stop.reason?.why === "listener") throw stop.reason.error;
  const why = stop.reason?.why ?? (ended.killedBy === undefined ? "exit" : "signal");
  if (why !== "exit" || ended.exitCode !== 0) {
    throw failed({ ...ended, why, message: messageOf(command.program, why, ended, execution) });
  }
  const milliseconds = performance.now() - began;
  return { stdout: `${stdout}`, stderr: lastPart(stderr, secrets), milliseconds };
}

/** What a failed command is told by, beside its output. */
interface How {
  readonly why: CommandFailed["why"];
  readonly message: string;
  readonly exitCode?: number | undefined;
  readonly killedBy?: NodeJS.Signals | undefined;
}

type StopReason =
  | { readonly why: "cancelled" | "deadline" | "output" }
  | { readonly why: "listener"; readonly error: unknown };

interface Stopper extends Disposable {
  /** Ends the program; the first reason counts. */
  because(reason: StopReason): void;
  readonly reason: StopReason | undefined;
}

function stopper(child: ChildProcess, { signal, deadline, abrupt }: Execution): Stopper {
  let reason: StopReason | undefined;
  let ending: Disposable | undefined;
  const because = (given: StopReason) => {
    const over = child.exitCode !== null || child.signalCode !== null;
    // What comes after its end, while its last output is read, changes nothing of its work.
    if (reason !== undefined || (over && (given.why === "cancelled" || given.why === "deadline")))
      return;
    reason = given;
    if (over) return;
    if (abrupt === true) killGroup(child);
    else ending = endGroup(child);
  };
  const onAbort = () => because({ why: "cancelled" });
  signal.addEventListener("abort", onAbort, { once: true });
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(because, Math.min(deadline, LONGEST_TIMER_MS), { why: "deadline" });
  return {
    because,
    get reason() {
      return reason;
    },
    [Symbol.dispose]() {
      clearTimeout(timer);
      ending?.[Symbol.dispose]();
      signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Reads one of a program's streams as text, whose characters may be cut by the chunks. */
function read(
  child: ChildProcess,
  name: "stdout" | "stderr",
  into: Tail,
  { onLine, secrets }: Execution,
  stop: Stopper,
  onChunk: () => void = () => {},
): void {
  const decoder = new StringDecoder("utf8");
  const lines =
    onLine &&
    new Lines(
      (text) => secrets.redact(text),
      (line) => onLine(line, name),
    );
  const take = (text: string) => {
    into.append(text);
    onChunk();
    // Nobody looks any longer once the program is being ended for what a listener threw.
    if (stop.reason?.why !== "listener") lines?.append(text);
  };
  const guarded = (step: () => void) => {
    try {
      step();
    } catch (error) {
      stop.because({ why: "listener", error });
    }
  };
  // Absent where the system had no more file descriptors; the child's `error` tells of it.
  const stream = child[name];
  stream?.on("data", (chunk: Buffer) => guarded(() => take(decoder.write(chunk))));
  stream?.on("close", () =>
    guarded(() => {
      take(decoder.end());
      if (stop.reason?.why !== "listener") lines?.end();
    }),
  );
}

function messageOf(
  program: string,
  why: "exit" | "signal" | "cancelled" | "deadline" | "output",
  { exitCode, killedBy }: Ended,
  { deadline }: Execution,
): string {
  return {
    cancelled: `${program} was ended because the job was cancelled`,
    deadline: `${program} was ended after ${(deadline ?? 0) / 1_000} s, its deadline`,
    output: `${program} was ended because it printed more than 64 Mi characters`,
    signal: `${program} was killed by ${killedBy}`,
    exit: `${program} ended with exit status ${exitCode}`,
  }[why];
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word);
}

/** The last whole lines, redacted before they are cut, so that no part of a secret is left. */
function lastPart(tail: Tail, secrets: Secrets): string {
  const text = tail.toString();
  if (text.length <= TAIL_CHARACTERS && !tail.cut) return secrets.redact(text);
  const shown = secrets.redact(text.slice(-2 * TAIL_CHARACTERS)).slice(-TAIL_CHARACTERS);
  return shown.slice(shown.indexOf("\n") + 1);
}
