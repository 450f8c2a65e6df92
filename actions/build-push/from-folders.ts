import { glob, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Found } from "./from-bake-file.ts";
import type { Options } from "./inputs.ts";
import type { WrittenService } from "./service-input.ts";

/**
 * A service for every folder that a pattern of the input `folders` finds with a Dockerfile in it:
 * called like the folder, sorted by name.
 *
 * @param folder that the patterns start from; absolute.
 */
export async function servicesInFolders(
  text: string,
  options: Options,
  folder: string,
  workspace: string,
): Promise<Found> {
  const problems: { where: string; problem: string }[] = [];
  const refuse = (problem: string) => problems.push({ where: "folders", problem });
  const files = new Set<string>();
  for (const pattern of patternsIn(text)) {
    if (pattern.startsWith("/") || pattern.split("/").includes("..")) {
      refuse(`${JSON.stringify(pattern)} leads out of the context; write it as services/*`);
      continue;
    }
    const found = await dockerfilesOf(pattern, options.dockerfile ?? "Dockerfile", folder);
    if (found.length === 0) refuse(await noneFor(pattern, options, folder, workspace));
    for (const file of found) files.add(file);
  }
  const written = [...files].map((file) => serviceOf(file, options, folder));
  written.sort((a, b) => compare(a.input.name, b.input.name) || compare(a.prefix, b.prefix));
  return { written, problems, notes: [] };
}

/** One a line, or separated by commas that are not within braces. Pure. */
export function patternsIn(text: string): readonly string[] {
  const patterns = text.split(/[\r\n]+|,(?![^{}]*\})/).map((pattern) => pattern.trim());
  return patterns.filter((pattern) => pattern !== "");
}

/** Dockerfiles, relative to the folder. A pattern may find them, or the folders that they are in. */
async function dockerfilesOf(pattern: string, name: string, folder: string): Promise<string[]> {
  const plain = pattern.replace(/^\.\//, "").replace(/\/+$/, "");
  // `services/*` finds a README too.
  const namesFiles = /dockerfile/i.test(basename(plain)) || basename(plain) === name;
  const found = new Map<string, string>();
  for await (const entry of glob(plain, { cwd: folder, exclude: isNoSource })) {
    const kind = await kindOf(join(folder, entry));
    if (kind !== "folder" && !namesFiles) continue;
    const file = kind === "folder" ? join(entry, name) : entry;
    if ((await kindOf(join(folder, file))) !== "file") continue;
    // Two ways to one file, by a link, are one service, called as it is without the link.
    const real = await realpath(join(folder, file));
    if (!found.has(real) || real === join(folder, file)) found.set(real, file);
  }
  return [...found.values()];
}

/** Folders that hold other people's files. */
function isNoSource(path: string): boolean {
  return /^(\.git|node_modules)$/.test(basename(path));
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ? "folder" : found?.isFile() ? "file" : undefined;
}

async function noneFor(
  pattern: string,
  { dockerfile = "Dockerfile" }: Options,
  folder: string,
  workspace: string,
): Promise<string> {
  const where = relative(workspace, folder) || ".";
  const fixed = pattern.split("/").findIndex((part) => /[*?[{!]/.test(part));
  const parent = pattern.split("/").slice(0, Math.max(fixed, 0)).join("/");
  const missing =
    parent !== "" && (await kindOf(join(folder, parent))) !== "folder"
      ? `; there is no folder ${JSON.stringify(parent)}`
      : "";
  return `${JSON.stringify(pattern)} finds no ${dockerfile} in ${JSON.stringify(where)}${missing}`;
}

function serviceOf(
  file: string,
  { foldersContext, dockerfile = "Dockerfile" }: Options,
  folder: string,
): WrittenService {
  const own = dirname(file);
  const ofRoot = foldersContext === "root";
  return {
    prefix: `${own === "." ? file : own.split(sep).join("/")}: `,
    input: {
      name: nameOf(file, dockerfile, folder),
      context: ofRoot ? undefined : own,
      dockerfile: ofRoot ? file : basename(file),
    },
    references: [],
    linked: false,
  };
}

/** The folder's name; `api` for `api.Dockerfile` and `Dockerfile.api`, which share a folder. */
function nameOf(file: string, dockerfile: string, folder: string): string {
  const [, before, after] = /^(.+)\.Dockerfile$|^Dockerfile\.(.+)$/i.exec(basename(file)) ?? [];
  const own = basename(file) === dockerfile ? undefined : (before ?? after);
  return own ?? basename(resolve(folder, dirname(file)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
