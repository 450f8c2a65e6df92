import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, UserError } from "../failure/index.ts";
import { privateFolder } from "../process/index.ts";

/** A text for Helm to read, and what to call it when Helm complains. */
export interface ValuesSource {
  readonly title: string;
  readonly text: string;
}

/**
 * Files that only this user can read, for as long as a release is being made: values are never
 * put on a command line, where every process of the machine could read them.
 */
export class PrivateFolder implements AsyncDisposable {
  readonly #path: string;
  readonly #titles = new Map<string, string>();
  readonly #folder: AsyncDisposable;

  private constructor(folder: { readonly path: string } & AsyncDisposable) {
    this.#path = folder.path;
    this.#folder = folder;
  }

  /** Made with mode 0700 below `parent`, or below the system's folder for temporary files. */
  static async make(parent: string | undefined): Promise<PrivateFolder> {
    return new PrivateFolder(await privateFolder("helm-upgrade-", parent));
  }

  /** Writes a file and gives its path. */
  async write(name: string, { title, text }: ValuesSource): Promise<string> {
    const file = join(this.#path, name);
    await writeFile(file, text, { mode: 0o600 });
    this.#titles.set(file, title);
    return file;
  }

  /** Makes a folder in it, and gives its path. */
  async folder(name: string): Promise<string> {
    return mkdtemp(join(this.#path, `${name}-`));
  }

  get path(): string {
    return this.#path;
  }

  /** The text with the paths of this folder replaced by what the user calls those files. */
  named(text: string): string {
    let named = text;
    for (const [file, title] of this.#titles) named = named.replaceAll(file, title);
    return named;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}

/**
 * Reads the values files that a user named. They are copied rather than passed on: Helm splits
 * such a path at commas and takes one that looks like an address for a download.
 *
 * @throws {UserError} naming every file that cannot be read.
 */
export async function readValuesFiles(files: readonly string[]): Promise<readonly ValuesSource[]> {
  const read = await Promise.allSettled(files.map((file) => readFile(file, "utf8")));
  const problems = read.flatMap((result, index) =>
    result.status === "rejected" ? [`${files[index]}: ${describe(result.reason)}`] : [],
  );
  if (problems.length > 0) {
    throw new UserError({
      title: "A values file cannot be read",
      cause: `${problems.join("; ")}.`,
      remedy:
        "Paths count from the workspace's root; check that the repository was checked out. Nothing was changed.",
    });
  }
  return read.flatMap((result, index) =>
    result.status === "fulfilled" ? [{ title: files[index] ?? "", text: result.value }] : [],
  );
}
