import { codeOf, describe, UserError } from "../../failure/index.ts";

/** What was being done: completes "cannot be ...". */
export type Deed = "written" | "read" | "listed" | "deleted" | "opened";

interface Words {
  readonly title: string;
  readonly why: string;
  readonly remedy: string;
}

const VANISHED: Words = {
  title: "The folder of the backups is gone",
  why: "what is mounted there does not answer any more",
  remedy: "Check the mount (network, server, credentials) on the runner, and run again.",
};

/** The system's codes, as errno(3) has them, in words. */
const KNOWN: Readonly<Record<string, Words>> = {
  ENOSPC: {
    title: "The disk of the backups is full",
    why: "no space is left on the device",
    remedy: "Free space, keep fewer backups, or write to a larger volume.",
  },
  EDQUOT: {
    title: "The quota of the backups is used up",
    why: "the disk quota is exceeded",
    remedy: "Raise the quota of the runner's user, or keep fewer backups.",
  },
  EFBIG: {
    title: "The file system cannot hold a file so large",
    why: "the file is larger than the file system or the process may write",
    remedy: "Use a file system that holds large files, or raise the limit (ulimit -f).",
  },
  EROFS: {
    title: "The folder of the backups is read-only",
    why: "the file system is mounted read-only",
    remedy: "Mount it writable; a file system with errors is often set read-only by the kernel.",
  },
  EACCES: {
    title: "The folder of the backups may not be used",
    why: "permission is denied",
    remedy: "Let the runner's user read and write the folder and what is in it.",
  },
  EPERM: {
    title: "The folder of the backups may not be used",
    why: "the operation is not permitted",
    remedy: "Look for an immutable attribute (lsattr) or a policy of the system, and lift it.",
  },
  ENOTDIR: {
    title: "The path of the backups is not a folder",
    why: "a part of the path is a file",
    remedy: "Name a folder.",
  },
  EISDIR: {
    title: "A folder is where a file of the backup should be",
    why: "it is a folder",
    remedy: "Move the folder away, or name another place for backups.",
  },
  ENAMETOOLONG: {
    title: "A name is too long for the file system",
    why: "the name is too long",
    remedy: "Use a shorter name for the backups, or a folder nearer to the root.",
  },
  ELOOP: {
    title: "The path of the backups leads in a circle",
    why: "too many symbolic links are in the path",
    remedy: "Name the folder itself.",
  },
  EIO: {
    title: "The disk of the backups fails",
    why: "the device reported an input or output error",
    remedy: "Look into the kernel's log (dmesg), and write to another disk.",
  },
  EMFILE: {
    title: "Too many files are open",
    why: "the process has no file descriptors left",
    remedy: "Raise the limit of open files (ulimit -n).",
  },
  ESTALE: VANISHED,
  ENOTCONN: VANISHED,
  ENODEV: VANISHED,
  ENXIO: VANISHED,
  EHOSTDOWN: VANISHED,
  EHOSTUNREACH: VANISHED,
  ENETUNREACH: VANISHED,
  ECONNABORTED: VANISHED,
  ETIMEDOUT: VANISHED,
  ESHUTDOWN: VANISHED,
};

/** Codes that callers have an answer to. */
const TAKEN = new Set(["ENOENT", "EEXIST"]);

const UNKNOWN: Words = {
  title: "The file system of the backups refused",
  why: "the system gave no other reason",
  remedy: "See what the system says of it, and try another folder or another mount.",
};

/** An error of the file system for people; anything else is given back as it is. */
export function explain(thrown: unknown, path: string, deed: Deed): unknown {
  const code = codeOf(thrown) ?? "";
  const isOther = thrown instanceof Error && "errno" in thrown && !TAKEN.has(code);
  const known = KNOWN[code] ?? (isOther ? UNKNOWN : undefined);
  if (thrown instanceof UserError || known === undefined) return thrown;
  return new UserError(
    {
      title: known.title,
      cause: `${path} cannot be ${deed}: ${known.why} (${describe(thrown).split("\n")[0]}).`,
      remedy: known.remedy,
    },
    { reason: thrown },
  );
}

/** The folder is not there at all. */
export function noFolder(root: string): UserError {
  return new UserError({
    title: "The folder of the backups is not there",
    cause: `${root} does not exist.`,
    remedy: "Check the path, and that it is mounted on this runner.",
  });
}

/** The folder is not there, and cannot be made. */
export function notMade(root: string, reason: unknown): UserError {
  return new UserError(
    {
      title: "The folder of the backups cannot be made",
      cause: `${root} is not there, and cannot be made: ${describe(reason).split("\n")[0]}. Where it is a symbolic link, it leads nowhere.`,
      remedy: "Check the path and what its links lead to, and that it is mounted on this runner.",
    },
    { reason },
  );
}

/** Another folder, or none, is where the storage was when it was opened. */
export function vanished(root: string): UserError {
  return new UserError({
    title: VANISHED.title,
    cause: `${root} is not the folder any more that it was when the work began: it was unmounted, moved or deleted.`,
    remedy: VANISHED.remedy,
  });
}

/** A link that leads out of the storage. */
export function leadsOut(path: string, root: string): UserError {
  return new UserError({
    title: "A link leads out of the folder of the backups",
    cause: `${path} leads out of ${root} by a symbolic link.`,
    remedy: "Remove the link, or name the folder that it leads to.",
  });
}
