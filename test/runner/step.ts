import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  commandIn,
  linesAsRead,
  outputsIn,
  type RunnerCommand,
} from "../unit/action/runner-rules.ts";
import { Runner } from "./runner.ts";

/** What a runner sees of a step when it is over. */
export interface Step {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly string[];
  readonly commands: readonly RunnerCommand[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** Folders that it had added to the PATH of later steps, as the runner reads them. */
  readonly path: readonly string[];
  /** Files in the runner's folder for temporary ones. */
  readonly leftovers: readonly string[];
  /** From its start to its end. */
  readonly milliseconds: number;
}

export interface Setting {
  readonly inputs?: Readonly<Record<string, string>>;
  /** Beside those of a runner; undefined removes one of these. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Sees each line as it comes, with the process to send signals to. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
  /** Whose folders the step finds; a fresh one with an empty workspace when left out. */
  readonly runner?: Runner | undefined;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves once what was printed matches. */
  logged(pattern: RegExp): Promise<void>;
  readonly finished: Promise<Step>;
}

/** Runs the main script of an action as a runner does, to its end. */
export async function runStep(main: string, setting: Setting = {}): Promise<Step> {
  return (await startStep(main, setting)).finished;
}

/** Starts the main script of an action as a runner does. */
export async function startStep(main: string, setting: Setting = {}): Promise<Running> {
  const runner = setting.runner ?? (await Runner.create());
  const files = {
    outputs: join(runner.folder, "outputs"),
    summary: join(runner.folder, "summary"),
    path: join(runner.folder, "path"),
  };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const began = performance.now();
  const child = spawnStep(main, runner, files, setting);
  const text = listen(child, setting.onLine);
  const ended = new Promise<Pick<Step, "exitCode" | "signal">>((resolve) => {
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const finished = ended.then(async (end): Promise<Step> => {
    const milliseconds = performance.now() - began;
    try {
      const { stdout, stderr } = text;
      const lines = linesAsRead(stdout);
      const commands = lines.flatMap((line) => commandIn(line) ?? []);
      const outputs = Object.fromEntries(outputsIn(readFileSync(files.outputs, "utf8")));
      const summary = readFileSync(files.summary, "utf8");
      const path = readFileSync(files.path, "utf8").split("\n").filter(Boolean).reverse();
      const leftovers = readdirSync(runner.temp);
      const told = { outputs, summary, path, leftovers };
      return { ...end, stdout, stderr, lines, commands, ...told, milliseconds };
    } finally {
      if (setting.runner === undefined) await runner[Symbol.asyncDispose]();
    }
  });
  const logged = (pattern: RegExp) =>
    new Promise<void>((done, fail) => {
      const look = () => pattern.test(text.stdout) && done();
      child.stdout?.on("data", look);
      void ended.then(() =>
        fail(new Error(`ended without ${pattern}: ${text.stdout}${text.stderr}`)),
      );
      look();
    });
  return { child, logged, finished };
}

/** Sources are compiled once and not by every step: half of what a short one takes. */
const COMPILED = { NODE_COMPILE_CACHE: join(tmpdir(), "seaworthy-compiled") };

function spawnStep(
  main: string,
  { folder, workspace, temp }: Runner,
  files: { readonly outputs: string; readonly summary: string; readonly path: string },
  { inputs = {}, environment = {} }: Setting,
): ChildProcess {
  // The runner upper-cases the names and keeps their hyphens.
  const given = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  return spawn(process.execPath, [main], {
    cwd: workspace,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_OUTPUT: files.outputs,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_PATH: files.path,
      GITHUB_WORKSPACE: workspace,
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      RUNNER_TEMP: temp,
      ...(main.endsWith(".ts") ? COMPILED : {}),
      ...Object.fromEntries(given),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** What is printed, as it comes. */
function listen(child: ChildProcess, onLine: Setting["onLine"]) {
  const text = { stdout: "", stderr: "" };
  let rest = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text.stdout += chunk;
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine?.(line, child);
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text.stderr += chunk;
  });
  return text;
}
