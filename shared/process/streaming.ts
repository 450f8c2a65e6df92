import type { ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Secrets } from "../secrets/index.ts";
import { CommandFailed } from "./command-failed.ts";
import { leash } from "./leash.ts";
import { endGroup, endOfStreaming } from "./process-group.ts";
import { type Command, startProblem, startStreaming } from "./start.ts";
import { Tail } from "./tail.ts";

const TAIL_CHARACTERS = 16_384;

/** A program whose standard streams are taken and given while it runs. */
export interface StreamingCommand extends Omit<Command, "input" | "leashed"> {
  /** Whether it is to have an input at all; otherwise it reads an end at once. */
  readonly input: boolean;
  /** Run as somebody else, which only root can. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Nothing of this process's environment, only what `environment` says. */
  readonly bare?: boolean | undefined;
}

/** How a streaming program ended. */
export interface StreamingEnd {
  /** Undefined when it was killed. */
  readonly exitCode: number | undefined;
  readonly killedBy: NodeJS.Signals | undefined;
  /** Why it failed, without a full stop; empty when it succeeded. */
  readonly message: string;
  /** The last 16 Ki characters of its standard error, redacted. */
  readonly stderr: string;
}

/** A program that runs. It waits for whoever reads its output. */
export interface StreamingProgram {
  readonly pid: number;
  /** Writing to a program that no longer reads fails with EPIPE. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects; its output may still have to be read then. */
  readonly ended: Promise<StreamingEnd>;
  /** Its whole process group is asked to end, and made to after three seconds. */
  end(): void;
}

/**
 * Starts a program and hands its streams over. Its whole process group is ended when the signal
 * aborts, and with this process, however that ends.
 *
 * @throws {CommandFailed} when it cannot be found or started; the signal's reason when it has
 * aborted before.
 */
export async function stream(
  command: StreamingCommand,
  { signal, secrets }: { readonly signal: AbortSignal; readonly secrets: Secrets },
): Promise<StreamingProgram> {
  signal.throwIfAborted();
  const child = await started(command, secrets);
  const { pid, stdin, stdout } = child;
  if (pid === undefined || stdin === null || stdout === null) throw new Error("no streams");
  const watch = leash({ group: pid });
  const stderr = stderrOf(child);
  let ending: Disposable | undefined;
  let cancelled = false;
  const end = () => {
    if (child.exitCode === null && child.signalCode === null) ending ??= endGroup(child);
  };
  const onAbort = () => {
    cancelled = true;
    end();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  const ended = endOfStreaming(child).then(({ exitCode, killedBy }): StreamingEnd => {
    signal.removeEventListener("abort", onAbort);
    ending?.[Symbol.dispose]();
    watch[Symbol.dispose]();
    const message = cancelled
      ? `${command.program} was ended because the job was cancelled`
      : messageOf(command.program, exitCode, killedBy);
    return { exitCode, killedBy, message, stderr: secrets.redact(`${stderr}`) };
  });
  return { pid, stdin, stdout, ended, end };
}

async function started(command: StreamingCommand, secrets: Secrets): Promise<ChildProcess> {
  const failed = (error: unknown) => {
    const { why, message } = startProblem(command, error);
    const commandLine = secrets.redact([command.program, ...command.args].join(" "));
    return new CommandFailed({
      why,
      message: secrets.redact(message),
      commandLine,
      milliseconds: 0,
    });
  };
  let child: ChildProcess;
  try {
    child = startStreaming(command);
  } catch (error) {
    throw failed(error);
  }
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (error) => reject(failed(error)));
  });
  return child;
}

function stderrOf(child: ChildProcess): Tail {
  const tail = new Tail(TAIL_CHARACTERS);
  const decoder = new StringDecoder("utf8");
  child.stderr?.on("data", (chunk: Buffer) => tail.append(decoder.write(chunk)));
  return tail;
}

function messageOf(
  program: string,
  exitCode: number | undefined,
  killedBy: NodeJS.Signals | undefined,
): string {
  if (killedBy !== undefined) return `${program} was killed by ${killedBy}`;
  return exitCode === 0 ? "" : `${program} ended with exit status ${exitCode}`;
}
