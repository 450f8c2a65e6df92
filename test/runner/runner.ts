import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A runner's folders, with the files of a repository checked out. */
export class Runner implements AsyncDisposable {
  readonly folder: string;
  readonly workspace: string;
  readonly temp: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.workspace = join(folder, "workspace");
    this.temp = join(folder, "temp");
  }

  static async create(files: Readonly<Record<string, string>> = {}): Promise<Runner> {
    const runner = new Runner(await mkdtemp(join(tmpdir(), "runner-")));
    await mkdir(runner.temp);
    await mkdir(runner.workspace);
    for (const [name, text] of Object.entries(files)) await runner.write(name, text);
    return runner;
  }

  /** Writes a file of the workspace and returns its path. */
  async write(name: string, text: string, mode = 0o644): Promise<string> {
    const file = join(this.workspace, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode });
    return file;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
