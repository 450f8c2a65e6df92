import { glob, readdir, readFile, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { codeOf, describe, nearestName, UserError } from "../failure/index.ts";
import type { ManifestText } from "./documents.ts";

const MANIFEST = /\.(ya?ml|json)$/i;
/** The names by which kustomize knows its folders. */
const KUSTOMIZATION = /^(kustomization\.ya?ml|Kustomization)$/;
/** More than this is no manifest; a server would refuse it anyway. */
const MOST_BYTES = 64 * 1024 * 1024;

/** What a path leads to. */
export type Found =
  | {
      readonly kind: "files";
      readonly files: readonly string[];
      readonly unread: readonly string[];
    }
  | { readonly kind: "kustomization"; readonly folder: string };

/**
 * What a path or glob stands for: a file is itself; a folder with a kustomization is that; another
 * folder is the manifests in it, not those in folders below (as kubectl reads it without
 * --recursive), which are named in `unread`; a glob is the files that match.
 *
 * @throws {UserError} when there is nothing, or nothing that could be a manifest.
 */
export async function findManifests(path: string, workspace: string): Promise<Found> {
  const absolute = isAbsolute(path) ? path : join(workspace, path);
  const found = await stat(absolute).catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(codeOf(error) ?? "")) return undefined;
    throw cannotRead(path, error);
  });
  if (found?.isDirectory()) return inFolder(absolute, path);
  if (found !== undefined) return { kind: "files", files: [absolute], unread: [] };
  if (/[*?[\]{}]/.test(path)) return inGlob(path, workspace);
  throw await absent(path, absolute);
}

async function inFolder(folder: string, path: string): Promise<Found> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  if (entries.some(({ name }) => KUSTOMIZATION.test(name)))
    return { kind: "kustomization", folder };
  const files = entries
    .filter((entry) => !entry.isDirectory() && MANIFEST.test(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${path}/${name}`);
  if (files.length > 0) return { kind: "files", files, unread: below.sort() };
  const also =
    below.length === 0 ? "" : ` itself; folders below are not read (${below.join(", ")})`;
  throw new UserError({
    title: "A folder holds no manifests",
    cause: `There is no .yaml, .yml or .json file in ${path}${also}.`,
    remedy: `Name the right folder, or a glob such as ${path}/**/*.yaml for those below it.`,
  });
}

async function inGlob(pattern: string, workspace: string): Promise<Found> {
  const names: string[] = [];
  for await (const name of glob(pattern, { cwd: workspace })) names.push(name);
  const files: string[] = [];
  for (const name of names.sort()) {
    const file = isAbsolute(name) ? name : join(workspace, name);
    if ((await stat(file)).isFile()) files.push(file);
  }
  const kustomization = files.find((file) => KUSTOMIZATION.test(file.split("/").at(-1) ?? ""));
  if (kustomization !== undefined) {
    throw new UserError({
      title: "A glob matches a kustomization",
      cause: `${pattern} matches ${relative(workspace, kustomization)}: what stands beside it is meant to go through kustomize.`,
      remedy: "Name the kustomization's folder instead of a glob, or narrow the glob.",
    });
  }
  if (files.length === 0) {
    throw new UserError({
      title: "A glob matches nothing",
      cause: `No file matches ${pattern} in ${workspace}.`,
      remedy:
        "Check the pattern: * stops at a slash, ** does not. Has the repository been checked out?",
    });
  }
  return { kind: "files", files, unread: [] };
}

/**
 * Reads one file of manifests.
 *
 * @throws {UserError} when it cannot be read, is too large, or is not UTF-8.
 */
export async function readManifestFile(file: string, workspace: string): Promise<ManifestText> {
  const name = file.startsWith(`${workspace}/`) ? relative(workspace, file) : file;
  try {
    const { size } = await stat(file);
    if (size > MOST_BYTES) throw new RangeError(`it has ${size} bytes, more than ${MOST_BYTES}`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
    return { name, text, file: name };
  } catch (error) {
    const words = codeOf(error) === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "it is not UTF-8" : error;
    throw cannotRead(name, words);
  }
}

async function absent(path: string, absolute: string): Promise<UserError> {
  const parts = absolute.split("/");
  const name = parts.pop() ?? "";
  const siblings = await readdir(parts.join("/") || "/").catch(() => []);
  const near = nearestName(name, siblings);
  return new UserError({
    title: "There are no such manifests",
    cause: `${path} does not exist${near === undefined ? "" : `; did you mean ${near}?`}`.replace(
      /[^?]$/,
      "$&.",
    ),
    remedy:
      siblings.length === 0
        ? "Check the path; it is relative to the workspace. Has the repository been checked out?"
        : `Check the path; beside it there are ${siblings.slice(0, 8).sort().join(", ")}.`,
  });
}

function cannotRead(path: string, error: unknown): UserError {
  return new UserError({
    title: "Manifests cannot be read",
    cause: `${path}: ${describe(error)}.`,
    remedy: "Check the file and who may read it; nothing was changed.",
  });
}
