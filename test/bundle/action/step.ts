import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  commandIn,
  linesAsRead,
  outputsIn,
  type RunnerCommand,
} from "../../unit/action/runner-rules.ts";

/** What a runner sees of a step when it is over. */
export interface Step {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly string[];
  readonly commands: readonly RunnerCommand[];
  readonly outputs: ReadonlyMap<string, string>;
  readonly summary: string;
  /** From its start to its end. */
  readonly milliseconds: number;
}

interface Setting {
  readonly inputs?: Readonly<Record<string, string>>;
  /** Beside those of a runner; undefined removes one of these. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Sees each line as it comes, with the process to send signals to. */
  readonly onLine?: (line: string, child: ChildProcess) => void;
}

/** Runs the main script of an action as a runner does. */
export async function runStep(main: string, setting: Setting = {}): Promise<Step> {
  const folder = mkdtempSync(join(tmpdir(), "step-"));
  try {
    const files = { outputs: join(folder, "outputs"), summary: join(folder, "summary") };
    for (const file of Object.values(files)) writeFileSync(file, "");
    const ended = await end(start(main, folder, files, setting), setting);
    const lines = linesAsRead(ended.stdout);
    return {
      ...ended,
      lines,
      commands: lines.flatMap((line) => commandIn(line) ?? []),
      outputs: outputsIn(readFileSync(files.outputs, "utf8")),
      summary: readFileSync(files.summary, "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function start(
  main: string,
  folder: string,
  files: { readonly outputs: string; readonly summary: string },
  { inputs = {}, environment = {} }: Setting,
): ChildProcess {
  // The runner upper-cases the names and keeps their hyphens.
  const given = Object.entries(inputs).map(([name, value]) => [
    `INPUT_${name.toUpperCase()}`,
    value,
  ]);
  return spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_OUTPUT: files.outputs,
      GITHUB_STEP_SUMMARY: files.summary,
      GITHUB_WORKSPACE: folder,
      ...Object.fromEntries(given),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function end(child: ChildProcess, { onLine }: Setting) {
  const began = performance.now();
  const text = { stdout: "", stderr: "" };
  let seen = 0;
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text.stdout += chunk;
    const whole = text.stdout.split("\n").slice(0, -1);
    for (const line of whole.slice(seen)) onLine?.(line, child);
    seen = whole.length;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    text.stderr += chunk;
  });
  const [exitCode, signal] = await new Promise<[number | null, NodeJS.Signals | null]>(
    (resolve) => {
      child.once("close", (code, name) => resolve([code, name]));
    },
  );
  return { exitCode, signal, ...text, milliseconds: performance.now() - began };
}
