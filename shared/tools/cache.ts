import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "../failure/index.ts";
import type { Release } from "./choose.ts";
import { isReadOnly } from "./disk-trouble.ts";
import { difference, digestAt, programPaths, unpack } from "./unpack.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What is in the cache of one release. */
export type Cached =
  | { readonly state: "absent" }
  | { readonly state: "sound"; readonly folder: string }
  /** Something that is not what the table says; `why` completes "it cannot be used: ...". */
  | { readonly state: "unsound"; readonly folder: string; readonly why: string };

/** A killed job's unfinished work is removed by later ones after so long. */
const STALE_MS = 6 * 3_600_000;

/** The folder of the runner's tools; one that ends with the job where there is none. */
export function cacheRoot(environment: Environment): string {
  const { RUNNER_TOOL_CACHE, AGENT_TOOLSDIRECTORY } = environment;
  return RUNNER_TOOL_CACHE || AGENT_TOOLSDIRECTORY || jobRoot(environment);
}

/** A folder that ends with the job, for when nothing can be written to the runner's. */
export function jobRoot({ RUNNER_TEMP }: Environment): string {
  return join(RUNNER_TEMP || tmpdir(), "seaworthy-tools");
}

/**
 * The folder of a release: tool, version and processor, as the toolkit's tool cache has it. The
 * checksum is part of the version, so that two tables never fight over one folder.
 */
function placeOf({ tool, version, platform, sha256 }: Release, root: string) {
  const processor = platform.endsWith("amd64") ? "x64" : "arm64";
  const parent = join(root, `seaworthy-${tool}`, `${version.text}-${sha256.slice(0, 12)}`);
  return { parent, processor, folder: join(parent, processor) };
}

/** The programs of a release, with their paths. */
export function programsIn(release: Release, folder: string): Readonly<Record<string, string>> {
  const entries = Object.entries(programPaths(release.layout));
  return Object.fromEntries(entries.map(([name, path]) => [name, join(folder, "tool", path)]));
}

/** The file as it was published, within the folder of its release. */
function publishedFile(release: Release, folder: string): string {
  if (release.layout.archive !== undefined) return join(folder, "download", "archive");
  // A bare program is its own file.
  const [program = ""] = Object.values(programsIn(release, folder));
  return program;
}

/** Looks a release up, and holds what is there to its checksum, byte by byte. */
export async function lookUp(release: Release, root: string): Promise<Cached> {
  const { folder } = placeOf(release, root);
  const there = await stat(folder).catch(() => undefined);
  if (there === undefined) return { state: "absent" };
  const why = await unsoundness(release, folder);
  return why === undefined ? { state: "sound", folder } : { state: "unsound", folder, why };
}

async function unsoundness(release: Release, folder: string): Promise<string | undefined> {
  const { layout, sha256 } = release;
  const file = publishedFile(release, folder);
  const digest = await digestAt(file);
  if (digest === undefined) return `${file} is missing or cannot be read`;
  if (digest !== sha256) return `${file} has the SHA-256 checksum ${digest}, not ${sha256}`;
  if (layout.archive !== undefined) return await difference(file, layout, join(folder, "tool"));
  const others = await readdir(join(folder, "tool"), { recursive: true });
  return others.length > 2 ? `${join(folder, "tool")} holds more than the program` : undefined;
}

/** Removes what is not as it should be; false when that is not allowed. */
export async function remove(folder: string): Promise<boolean> {
  const aside = `${folder}-removed-${randomUUID()}`;
  try {
    // Renamed first, so that nobody finds it half removed.
    await rename(folder, aside);
    await rm(aside, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
    if (isReadOnly(error)) return false;
    throw error;
  }
}

/**
 * Puts a release into the cache: `fetch` writes the published file, which is then unpacked beside
 * the cache's own entries and moved there in one step. Whoever comes second to that takes what the
 * first one put there. Nothing is left of it when anything goes wrong.
 *
 * @throws {NotWritable} when the cache is read-only.
 * @throws what `fetch`, unpacking and the file system say.
 */
export async function put(
  release: Release,
  root: string,
  fetch: (file: string) => Promise<void>,
): Promise<string> {
  const { parent, processor, folder } = placeOf(release, root);
  await makeFolder(parent);
  await removeStale(parent);
  const work = join(parent, `.${processor}-${randomUUID()}`);
  try {
    const file = publishedFile(release, work);
    await makeFolder(join(file, ".."));
    await fetch(file);
    if (release.layout.archive === undefined) await chmod(file, 0o755);
    else await unpack(file, release.layout, join(work, "tool"));
    if (!(await move(work, folder))) await takeOver(release, work, folder);
    // The mark by which the toolkit's tool cache knows a whole entry.
    await writeFile(join(parent, `${processor}.complete`), "");
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
    // Goes only where nothing is in it: after a failure, with nobody else at work.
    await rmdir(parent).catch(() => {});
  }
}

/** A cache that nothing can be put into. */
export class NotWritable extends Error {}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    // On a read-only file system Node.js says ENOENT of what it cannot make.
    if (!isReadOnly(error) && codeOf(error) !== "ENOENT") throw error;
    throw new NotWritable(folder, { cause: error });
  }
}

/** False when there is something already. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Another job was quicker. What it put there is used only when it is sound. */
async function takeOver(release: Release, work: string, folder: string): Promise<void> {
  if ((await unsoundness(release, folder)) === undefined) return;
  if (!(await remove(folder))) throw new NotWritable(folder);
  await rename(work, folder);
}

async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(".") && !name.includes("-removed-")) continue;
    const path = join(parent, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}
