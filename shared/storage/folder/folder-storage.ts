import { constants, type Dirent } from "node:fs";
import { type FileHandle, open, readdir, realpath, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { codeOf, describe, UserError } from "../../failure/index.ts";
import type { World } from "../../world/index.ts";
import { notAsStored, notThere } from "../errors.ts";
import { byName, checkName } from "../name.ts";
import type { Refused, Storage, StoredObject, WriteOptions, Written } from "../storage.ts";
import { leashed } from "../transfer/leash.ts";
import { explain } from "./errors.ts";
import { isPartial, sweepPartials } from "./partial.ts";
import { Root } from "./root.ts";
import { writeFile } from "./write-file.ts";

const CHUNK_BYTES = 512 * 1024;

/** Keeps backups in a folder of this machine, or of a file system that is mounted on it. */
export class FolderStorage implements Storage {
  readonly place: string;
  readonly #root: Root;
  readonly #world: Pick<World, "clock" | "log">;
  readonly #swept = new Set<string>();

  constructor(path: string, mayCreate: boolean, world: Pick<World, "clock" | "log">) {
    this.place = `folder ${path}`;
    this.#root = new Root(path, mayCreate);
    this.#world = world;
  }

  /** @throws {UserError} where the folder is not there and may not be made, or cannot be used. */
  async check(): Promise<void> {
    await this.#root.isThere();
  }

  async *list(prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
    if (!(await this.#root.isThere())) return;
    const slash = prefix.lastIndexOf("/");
    const base = prefix.slice(0, slash + 1);
    if (base !== "") checkName(base.slice(0, -1));
    const folder = base === "" ? this.#root.path : await this.#root.locate(base.slice(0, -1));
    yield* this.#walk(folder, base, prefix, signal);
  }

  async *#walk(
    folder: string,
    base: string,
    prefix: string,
    signal: AbortSignal,
  ): AsyncGenerator<StoredObject> {
    signal.throwIfAborted();
    for (const entry of await entriesOf(folder)) {
      const name = `${base}${entry.name}`;
      if (entry.isDirectory()) {
        const within = `${name}/`;
        if (!within.startsWith(prefix) && !prefix.startsWith(within)) continue;
        yield* this.#walk(join(folder, entry.name), within, prefix, signal);
      } else if (name.startsWith(prefix) && !isPartial(entry.name)) {
        const found = await this.#look(name, join(folder, entry.name));
        if (found !== undefined) yield found;
      }
    }
  }

  /** What is at a path; undefined where there is nothing, or nothing that belongs to the storage. */
  async #look(name: string, path: string): Promise<StoredObject | undefined> {
    try {
      if (!this.#root.holds(await realpath(path))) return undefined;
      const found = await stat(path);
      if (!found.isFile()) return undefined;
      return { name, bytes: found.size, modified: Math.floor(found.mtimeMs), state: "ready" };
    } catch (error) {
      if (codeOf(error) === "ENOENT") return undefined;
      throw explain(error, path, "read");
    }
  }

  async stat(name: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    checkName(name);
    signal.throwIfAborted();
    if (!(await this.#root.isThere())) return undefined;
    return this.#look(name, await this.#root.locate(name));
  }

  async write(name: string, content: Readable | Buffer, options: WriteOptions): Promise<Written> {
    return leashed(content, options.signal, async () => {
      const path = await this.#root.prepare(name);
      try {
        await this.#sweep(name);
        return await writeFile({ path, name, place: this.place }, content, options);
      } catch (error) {
        await this.#tidy(dirname(path)).catch(() => {});
        throw error;
      }
    });
  }

  /** Once for each series of backups, before something is written to it. */
  async #sweep(name: string): Promise<void> {
    const [series = ""] = name.split("/");
    if (series === name || this.#swept.has(series)) return;
    this.#swept.add(series);
    const folder = join(this.#root.path, series);
    // The folder of what is about to be written is not old, and so not empty for long.
    const removed = await sweepPartials(folder, this.#world.clock.now());
    if (removed === 0) return;
    this.#world.log.info(`Removed ${removed} unfinished files of killed runs from ${folder}`);
    await this.#root.prepare(name);
  }

  async read(
    name: string,
    { signal, from = 0, to }: { signal: AbortSignal; from?: number; to?: number },
  ): Promise<Readable> {
    signal.throwIfAborted();
    if (!(await this.#root.isThere())) throw notThere(name, this.place);
    const path = await this.#root.locate(name);
    const file = await open(path, constants.O_RDONLY).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") throw notThere(name, this.place);
      throw explain(error, path, "read");
    });
    const found = await file.stat();
    if (!found.isFile()) {
      await file.close();
      throw notThere(name, this.place);
    }
    const end = Math.min(to ?? found.size, found.size);
    const story = { file, path, name, place: this.place, from, end, signal };
    return Readable.from(bytesOf(story), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }

  async remove(names: readonly string[], signal: AbortSignal): Promise<readonly Refused[]> {
    const refused: Refused[] = [];
    if (names.length === 0 || !(await this.#root.isThere())) return refused;
    for (const name of names) {
      signal.throwIfAborted();
      try {
        const path = await this.#root.locate(name);
        await unlink(path);
        await this.#tidy(dirname(path));
      } catch (error) {
        if (codeOf(error) === "ENOENT") continue;
        const told = explain(error, name, "deleted");
        const reason = told instanceof UserError ? told.cause : describe(told);
        refused.push({ name, reason: reason.replace(/\.$/, "") });
      }
    }
    return refused;
  }

  /** Folders that are empty now go too, up to the root. */
  async #tidy(folder: string): Promise<void> {
    for (let empty = folder; empty !== this.#root.path; empty = dirname(empty)) {
      const gone = await rmdir(empty).then(
        () => true,
        () => false,
      );
      if (!gone) return;
    }
  }
}

async function entriesOf(folder: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    // A folder's objects come where its name with a slash comes.
    const key = (entry: Dirent) => (entry.isDirectory() ? `${entry.name}/` : entry.name);
    return entries.sort((a, b) => byName(key(a), key(b)));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw explain(error, folder, "listed");
  }
}

interface Reading {
  readonly file: FileHandle;
  readonly path: string;
  readonly name: string;
  readonly place: string;
  readonly from: number;
  readonly end: number;
  readonly signal: AbortSignal;
}

async function* bytesOf({ file, path, name, place, from, end, signal }: Reading) {
  try {
    for (let position = from; position < end; ) {
      signal.throwIfAborted();
      const length = Math.min(CHUNK_BYTES, end - position);
      const buffer = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await file.read(buffer, 0, length, position).catch((error: unknown) => {
        throw explain(error, path, "read");
      });
      if (bytesRead === 0) {
        throw notAsStored(name, place, `it had ${end} bytes, and ended after ${position}`);
      }
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
