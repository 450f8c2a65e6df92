import { spawn } from "node:child_process";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the program's standard input. */
  readonly input?: string;
  /** Called with every line that the program writes to standard error. */
  readonly onErrorLine?: (line: string) => void;
}

/** Runs a program to its end and returns its standard output; throws with its own words. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const out: string[] = [];
  const error: string[] = [];
  let open = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => out.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    error.push(text);
    const lines = (open + text).split("\n");
    open = lines.pop() ?? "";
    for (const line of lines) options.onErrorLine?.(line);
  });
  // A program that ends without reading its input is no mistake of ours.
  child.stdin.on("error", () => undefined).end(options.input ?? "");

  const ended = await new Promise<string | undefined>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done(code === 0 ? undefined : (signal ?? `exit ${code}`)));
  }).catch((cause: unknown) => {
    throw new Error(`cannot run ${program}: ${(cause as Error).message}`, { cause });
  });
  if (ended !== undefined) {
    const words = (error.join("") || out.join("")).trim().split("\n").slice(-20).join("\n");
    throw new Error(`${program} ${args.slice(0, 4).join(" ")} failed (${ended}):\n${words}`);
  }
  return out.join("");
}
