import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { codeOf } from "../../failure/index.ts";
import { checkName } from "../name.ts";
import { explain, leadsOut, noFolder, notMade, vanished } from "./errors.ts";

/**
 * The folder that everything lies in. It is the same one from the first use to the last: a mount
 * that vanishes in the middle leaves an empty folder of the same name, which is not written to.
 */
export class Root {
  readonly path: string;
  readonly #mayCreate: boolean;
  #identity: string | undefined;
  #real = "";

  constructor(path: string, mayCreate: boolean) {
    this.path = path;
    this.#mayCreate = mayCreate;
  }

  /**
   * Holds that the folder is there and still the same.
   *
   * @returns false where it is not there yet, and may be made.
   * @throws {UserError} where it is gone, a file, or may not be looked at.
   */
  async isThere(): Promise<boolean> {
    try {
      const found = await stat(this.path, { bigint: true });
      if (!found.isDirectory()) throw Object.assign(new Error("it is a file"), { code: "ENOTDIR" });
      const identity = `${found.dev}:${found.ino}`;
      if (this.#identity === undefined) {
        this.#identity = identity;
        this.#real = await realpath(this.path);
      }
      if (this.#identity !== identity) throw vanished(this.path);
      return true;
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw explain(error, this.path, "opened");
      if (this.#identity !== undefined) throw vanished(this.path);
      if (this.#mayCreate) return false;
      throw noFolder(this.path);
    }
  }

  /** Makes the folder where it is not there yet and may be. */
  async ensure(): Promise<void> {
    if (await this.isThere()) return;
    try {
      await mkdir(this.path, { recursive: true });
    } catch (error) {
      const isOdd = ["ENOENT", "EEXIST"].includes(codeOf(error) ?? "");
      throw isOdd ? notMade(this.path, error) : explain(error, this.path, "written");
    }
    await this.isThere();
  }

  /**
   * The path of an object that may be there.
   *
   * @throws {UserError} where a link on the way leads out of the root.
   */
  async locate(name: string): Promise<string> {
    checkName(name);
    const path = join(this.path, ...name.split("/"));
    const real = await realpath(path).catch((error: unknown) => {
      // Where it is not there, where its folder really is counts.
      if (codeOf(error) === "ENOENT") return this.#realFolder(dirname(path));
      throw explain(error, path, "opened");
    });
    if (!this.holds(real)) throw leadsOut(path, this.path);
    return path;
  }

  async #realFolder(folder: string): Promise<string> {
    try {
      return await realpath(folder);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw explain(error, folder, "opened");
      return folder === this.path ? this.#real : this.#realFolder(dirname(folder));
    }
  }

  /** Whether a path without links is the root's or below it. */
  holds(real: string): boolean {
    return real === this.#real || real.startsWith(this.#real === sep ? sep : this.#real + sep);
  }

  /**
   * Makes the folders that an object lies in, one by one, so that none is made by way of a link
   * that leads out.
   *
   * @returns the path of the object.
   */
  async prepare(name: string): Promise<string> {
    checkName(name);
    await this.ensure();
    let folder = this.path;
    for (const part of dirname(name).split("/")) {
      if (part === ".") continue;
      folder = join(folder, part);
      try {
        await mkdir(folder).catch(async (error: unknown) => {
          if (codeOf(error) !== "EEXIST") throw error;
          if (!(await stat(folder)).isDirectory()) {
            throw Object.assign(new Error(`${folder} is a file`), { code: "ENOTDIR" });
          }
        });
        if ((await lstat(folder)).isSymbolicLink() && !this.holds(await realpath(folder))) {
          throw leadsOut(folder, this.path);
        }
      } catch (error) {
        throw explain(error, folder, "written");
      }
    }
    return join(folder, basename(name));
  }
}
