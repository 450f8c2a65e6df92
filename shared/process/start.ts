import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { codeOf, describe } from "../failure/index.ts";

/** A program and its arguments: never a line for a shell. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly directory?: string | undefined;
  /** Added to the environment of this process; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** It must not go on when this process is killed: what it does is not to be done by halves. */
  readonly leashed?: boolean | undefined;
  /** Written to standard input, which is then closed. */
  readonly input?: string | undefined;
}

/**
 * Starts a program as the leader of a process group of its own, so that it can be ended together
 * with what it starts.
 *
 * @throws what the system says at once; some of it comes as the child's `error` event instead.
 */
export function start({ program, args, directory, environment, input }: Command): ChildProcess {
  const child = spawn(program, args, {
    cwd: directory,
    env: { ...process.env, ...environment },
    detached: true,
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  // A program that does not read its input closes it early; its exit status tells what matters.
  child.stdin?.on("error", () => {});
  child.stdin?.end(input);
  return child;
}

/** Starts a program whose streams are taken and given while it runs; as `start` otherwise. */
export function startStreaming(
  command: Omit<Command, "input" | "leashed"> & {
    readonly input: boolean;
    readonly user?: { readonly uid: number; readonly gid: number } | undefined;
    readonly bare?: boolean | undefined;
  },
): ChildProcess {
  const { program, args, directory, environment, input, user, bare } = command;
  const child = spawn(program, args, {
    cwd: directory,
    env: bare === true ? { ...environment } : { ...process.env, ...environment },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    ...(user !== undefined && { uid: user.uid, gid: user.gid }),
  });
  // Whoever writes sees it too; without a listener it would end this process.
  child.stdin?.on("error", () => {});
  if (!input) child.stdin?.end();
  return child;
}

/** Why a program could not be started; the system's ENOENT stands for three different things. */
export interface StartProblem {
  readonly why: "not-found" | "not-startable";
  readonly message: string;
}

export function startProblem(
  command: Pick<Command, "program" | "args" | "directory" | "environment">,
  error: unknown,
): StartProblem {
  const { program, directory } = command;
  const notStartable = (reason: string): StartProblem => ({
    why: "not-startable",
    message: `${program} could not be started: ${reason}`,
  });
  if (directory !== undefined && !isDirectory(directory)) {
    return notStartable(`its working directory ${directory} does not exist or is no directory`);
  }
  switch (codeOf(error)) {
    case "ENOENT": {
      const found = placesOf(command).find(isFile);
      if (found !== undefined)
        return notStartable(`the interpreter that ${found} names is missing`);
      const where = program.includes("/") ? "does not exist" : "was not found on the PATH";
      return { why: "not-found", message: `${program} ${where}` };
    }
    case "EACCES":
      return notStartable("it may not be executed (EACCES)");
    case "E2BIG":
      return notStartable("its arguments and environment are too long (E2BIG)");
    case "ERR_INVALID_ARG_VALUE":
      return notStartable("an argument, or a variable of its environment, holds a NUL character");
    default:
      return notStartable(describe(error));
  }
}

/** Where the system looks for the program. */
function placesOf({
  program,
  directory,
  environment,
}: Pick<Command, "program" | "directory" | "environment">): string[] {
  const own = environment !== undefined && "PATH" in environment;
  const path = own ? environment.PATH : process.env.PATH;
  const from = (place: string) => (place.startsWith("/") ? place : join(directory ?? ".", place));
  if (program.includes("/")) return [from(program)];
  return (path ?? "").split(delimiter).map((folder) => from(join(folder, program)));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch {
    // Behind a folder that may not be entered, it is as good as absent.
    return false;
  }
}
