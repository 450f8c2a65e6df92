import { mkdir, readdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { codeOf, describe, UserError } from "../../../../shared/failure/index.ts";

/** The folder that a cluster is handed over in. */
export interface TargetFolder {
  readonly path: string;
  /** Whoever the server there will run as. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** A socket's whole name has to be shorter than 108 bytes; ours adds so many. */
const LONGEST = 107 - "/seaworthy-pg-XXXXXX/.s.PGSQL.5432".length;

/**
 * Holds that a folder can take a cluster: it is empty, and belongs to the user that servers run as.
 * One that is not there is made.
 *
 * @param within what a relative path is relative to.
 * @throws {UserError} where it cannot; nothing was written then.
 */
export async function openTargetFolder(name: string, within: string): Promise<TargetFolder> {
  const path = resolve(within, name);
  if (Buffer.byteLength(path) > LONGEST) throw tooLong(path);
  try {
    await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
      if (codeOf(error) !== "EEXIST") throw error;
    });
    const there = await readdir(path);
    if (there.length > 0) throw notEmpty(path, there);
    const { uid, gid } = await stat(path);
    if (uid === 0) throw ofRoot(path);
    return { path, owner: { uid, gid } };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      {
        title: "The target folder cannot be used",
        cause: `${path}: ${describe(error)}.`,
        remedy:
          "Give the path of an empty folder in one that is there, of the user that runs PostgreSQL. Nothing was changed.",
      },
      { reason: error },
    );
  }
}

function notEmpty(path: string, there: readonly string[]): UserError {
  const shown = there.slice(0, 5).join(", ");
  return new UserError({
    title: "The target is not empty",
    cause: `The folder ${path} holds ${shown}${there.length > 5 ? ` and ${there.length - 5} more` : ""}.`,
    remedy: `Give an empty folder, or move what is there away${there.includes("lost+found") ? "; of a disk of its own, give a folder within it" : ""}. Nothing was changed.`,
  });
}

function ofRoot(path: string): UserError {
  return new UserError({
    title: "The target folder belongs to root",
    cause: `PostgreSQL refuses to run as root, and ${path} belongs to it.`,
    remedy: `Give it to the user that runs the server: chown postgres: ${path}. Nothing was changed.`,
  });
}

function tooLong(path: string): UserError {
  return new UserError({
    title: "The target folder's path is too long",
    cause: `${path} leaves no room for the name of a socket, which has 107 bytes in all.`,
    remedy: "Give a folder with a shorter path, and move it afterwards. Nothing was changed.",
  });
}
