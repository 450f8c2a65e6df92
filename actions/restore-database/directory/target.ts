import { posix, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../../../shared/failure/index.ts";
import type { Options } from "../inputs.ts";
import type { Means } from "../restored.ts";
import type { Files } from "./files.ts";
import { STAGING } from "./staging.ts";

/** A folder to restore into. */
export interface TargetFolder {
  readonly files: Files;
  /** Without links in it. */
  readonly path: string;
  /** For messages: `folder /srv/models`. */
  readonly words: string;
  readonly isThere: boolean;
  readonly isMount: boolean;
}

/** What a file system itself keeps in its outermost folder. */
const OF_THE_SYSTEM = new Set(["lost+found"]);

/**
 * Finds the folder to restore into.
 *
 * @param origin where the backup was taken, for an example.
 * @throws {UserError} where none was named, or it is no folder that can be restored into.
 */
export async function findTarget(
  files: Files,
  origin: string,
  { options, storage, world }: Means,
): Promise<TargetFolder> {
  const given = pathIn(options, origin, world.environment.GITHUB_WORKSPACE ?? process.cwd());
  const path = await files.real(given);
  if (path === "/") throw refused(`${given} is the root of the file system`);
  const kind = await files.kindOf(path);
  if (kind !== "folder" && kind !== "absent") throw refused(`${path}${files.where} is no folder`);
  if (path !== posix.normalize(given).replace(/\/+$/, "")) {
    world.log.info(`${given}${files.where} is ${path}`);
  }
  requireTypedRight(given, path, options);
  if (options.pod === undefined) await requireApart(files, path, options, storage.place, world);
  return {
    ...{ files, path, words: `folder ${path}${files.where}` },
    isThere: kind === "folder",
    isMount: kind === "folder" && (await files.isMount(path)),
  };
}

/** @throws {UserError} where it is no path of a folder. */
function pathIn({ target, pod }: Options, origin: string, workspace: string): string {
  if (target === undefined) {
    throw new UserError({
      title: "The folder to restore into was not named",
      cause: "The backup is one of a folder, and target is not given.",
      remedy: `Give target, such as ${origin}, where it was taken. Nothing was changed.`,
    });
  }
  if (/[\0\n\r]/.test(target)) throw refused("The path in target has a line break");
  const isUrl = /^file:/i.test(target);
  if (!isUrl && /^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
    throw refused(
      `${target.replace(/\/\/[^@\s]*@/, "//***@")} names no folder, and the backup is one of a folder`,
    );
  }
  const path = isUrl ? fromUrl(target) : target;
  if (pod === undefined) return resolve(workspace, path);
  if (path.startsWith("/")) return posix.resolve(path);
  throw refused(`${path} does not begin with a slash, as a path in a pod has to`);
}

function fromUrl(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    throw refused(`${url} is no address of a folder; write it as file:///path`);
  }
}

function requireTypedRight(given: string, path: string, { replace, target }: Options): void {
  if (replace === undefined || [given, path, target].some((each) => isSame(each, replace))) return;
  throw new UserError({
    title: "The name that was typed is not the target's",
    cause: `replace is ${JSON.stringify(replace)}, and the target is the folder ${JSON.stringify(path)}.`,
    remedy: "Look again which folder is meant. Nothing was changed.",
  });
}

function isSame(a: string | undefined, b: string): boolean {
  return a !== undefined && a.replace(/\/+$/, "") === b.replace(/\/+$/, "");
}

/** @throws {UserError} where the folder holds what this very run needs, which would be replaced. */
async function requireApart(
  files: Files,
  path: string,
  { report, method, paths }: Options,
  place: string,
  { environment }: Means["world"],
): Promise<void> {
  const workspace = environment.GITHUB_WORKSPACE ?? process.cwd();
  const needed = [
    ...(place.startsWith("folder ")
      ? [["the backups", place.slice("folder ".length)] as const]
      : []),
    ["the report", resolve(workspace, report)] as const,
    ["the workspace of the job", workspace] as const,
  ];
  for (const [what, where] of needed) {
    const inside = relative(path, await files.real(where));
    if (inside === ".." || inside.startsWith("../")) continue;
    // Members that are not named stay where they are.
    if (paths !== undefined && what === "the workspace of the job") continue;
    throw new UserError({
      title: "The folder holds what the restore itself needs",
      cause: `${path} has ${what} in it (${where}), and ${method === "switch" ? "would be renamed" : "its members would be replaced"}.`,
      remedy: `Restore to a folder beside, or move ${what} elsewhere. Nothing was changed.`,
    });
  }
}

/** Names in the target that somebody would miss, the first few of them, and how many there are. */
export async function contentsOf({
  files,
  path,
  isThere,
}: TargetFolder): Promise<readonly string[]> {
  if (!isThere) return [];
  return (await files.names(path)).filter((name) => isContent(name));
}

/** Whether a name at the outermost level of a folder is one of its own members. */
export function isContent(name: string): boolean {
  return name !== STAGING && !OF_THE_SYSTEM.has(name);
}

/** @throws {UserError} where something is there, and its name was not typed. */
export function requireLeave(
  { words }: TargetFolder,
  held: readonly string[],
  { replace, target }: Options,
): void {
  if (held.length === 0 || replace !== undefined) return;
  const more = held.length > 5 ? ` and ${held.length - 5} more` : "";
  throw new UserError({
    title: "The target is not empty",
    cause: `The ${words} holds ${held.slice(0, 5).join(", ")}${more}, and replace is not given.`,
    remedy: `Give replace: ${target} to put the backup in its place; it is backed up before. Nothing was changed.`,
  });
}

function refused(cause: string): UserError {
  return new UserError({
    title: "The folder cannot be restored into",
    cause: `${cause}.`,
    remedy: "Give target the path of a folder. Nothing was changed.",
  });
}
