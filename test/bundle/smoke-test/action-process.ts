import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** What a run of the action left behind for the runner. */
export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly milliseconds: number;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves once the log matches. */
  logged(pattern: RegExp): Promise<void>;
  readonly finished: Promise<Finished>;
}

const REPOSITORY = resolve(import.meta.dirname, "../../..");

/** The built file; the source when SEAWORTHY_TEST_SOURCE is set, for quick turns while writing. */
const ENTRY =
  process.env.SEAWORTHY_TEST_SOURCE === undefined
    ? join(REPOSITORY, "dist/smoke-test/index.js")
    : join(REPOSITORY, "actions/smoke-test/main.ts");

/** Starts the action as the runner does: inputs in the environment, nothing of the caller's. */
export async function start(
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), "smoke-test-"));
  const output = join(folder, "output");
  const summary = join(folder, "summary");
  await Promise.all([writeFile(output, ""), writeFile(summary, "")]);
  const began = performance.now();
  const child = spawn(process.execPath, [ENTRY], {
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      ...Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
      ),
      ...environment,
    },
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    text.stderr += chunk;
  });
  const closed = new Promise<number | null>((done) => child.once("close", done));
  const finished = closed.then(async (exitCode) => {
    const milliseconds = performance.now() - began;
    const [outputs, markdown] = await Promise.all([
      readFile(output, "utf8"),
      readFile(summary, "utf8"),
    ]);
    await rm(folder, { recursive: true });
    return { exitCode, ...text, summary: markdown, outputs: readOutputs(outputs), milliseconds };
  });
  const logged = (pattern: RegExp) =>
    new Promise<void>((done, fail) => {
      const look = () => pattern.test(text.stdout) && done();
      child.stdout.on("data", look);
      void closed.then(() =>
        fail(new Error(`ended without ${pattern}: ${text.stdout}${text.stderr}`)),
      );
      look();
    });
  return { child, logged, finished };
}

/** Runs the action to its end. */
export async function run(...args: Parameters<typeof start>): Promise<Finished> {
  return (await start(...args)).finished;
}

/** Reads the file of outputs as the runner does: `name<<delimiter`, lines, delimiter. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  for (const [, name = "", , value = ""] of text.matchAll(
    /^([^\n]+?)<<([^\n]+)\n([\s\S]*?)\n?\2$/gm,
  )) {
    outputs[name] = value;
  }
  return outputs;
}
