import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..", "..", "..");

/** The action's source, for tests against real servers; always as fresh as the tests. */
export const source = join(root, "actions", "build-push", "main.ts");
/** The action as users get it. */
export const bundle = join(root, "dist", "build-push", "index.js");

/** What a run left behind. */
export interface Run {
  readonly code: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly milliseconds: number;
  /** Files in the runner's folder for temporary ones. */
  readonly leftovers: readonly string[];
}

/** A runner's folders, with the files of a repository checked out. */
export class Runner implements AsyncDisposable {
  readonly folder: string;
  readonly workspace: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.workspace = join(folder, "workspace");
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<Runner> {
    const runner = new Runner(await mkdtemp(join(tmpdir(), "runner-")));
    await mkdir(join(runner.folder, "temp"));
    await mkdir(runner.workspace);
    for (const [name, text] of Object.entries(files)) await runner.write(name, text);
    return runner;
  }

  async write(name: string, text: string, mode = 0o644): Promise<string> {
    const file = join(this.workspace, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs the action as a runner does: inputs and files by environment variables. `onLine` sees the
   * log as it comes and may send signals.
   */
  async run(
    script: string,
    inputs: Readonly<Record<string, string>>,
    environment: Readonly<Record<string, string>> = {},
    onLine: (line: string, kill: (signal: NodeJS.Signals) => void) => void = () => {},
  ): Promise<Run> {
    const [output, summary] = [join(this.folder, "output"), join(this.folder, "summary")];
    await Promise.all([writeFile(output, ""), writeFile(summary, "")]);
    const began = Date.now();
    const child = spawn(process.execPath, [script], {
      cwd: this.workspace,
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        GITHUB_WORKSPACE: this.workspace,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
        RUNNER_TEMP: join(this.folder, "temp"),
        ...environment,
        ...Object.fromEntries(
          Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
        ),
      },
    });
    let log = "";
    const take = (chunk: Buffer) => {
      log += chunk;
      for (const line of chunk.toString().split("\n")) onLine(line, (name) => child.kill(name));
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const [code] = (await once(child, "close")) as [number | null];
    return {
      code,
      log,
      outputs: parseOutputs(await readFile(output, "utf8")),
      summary: await readFile(summary, "utf8"),
      milliseconds: Date.now() - began,
      leftovers: await readdir(join(this.folder, "temp")),
    };
  }
}

/** Reads the file of outputs: `name<<delimiter`, the value's lines, `delimiter`. */
function parseOutputs(text: string): Record<string, string> {
  const found = text.matchAll(/^(.+?)<<(\S+)\r?\n([\s\S]*?)\r?\n\2$/gm);
  return Object.fromEntries([...found].map(([, name = "", , value = ""]) => [name, value]));
}
