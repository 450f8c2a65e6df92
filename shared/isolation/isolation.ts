import { readFile } from "node:fs/promises";
import { CommandFailed, execute } from "../process/index.ts";
import type { World } from "../world/index.ts";

/** A thing that keeps what is restored from doing harm, and whether it could be had. */
export interface Safeguard {
  /** `own network`, `unprivileged user`: a phrase that goes after "with" and "without". */
  readonly name: string;
  readonly had: boolean;
  /** Why it could not be had, or what it is; a phrase. */
  readonly detail: string;
}

/** How programs that touch what is restored are run on this machine. */
export interface Isolation {
  /** Goes before a program and its arguments. */
  readonly prefix: readonly string[];
  /** Who they run as; undefined where that is the user of this process. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether what is left of them is ended by the system together with the first of them. */
  readonly ownProcesses: boolean;
  readonly safeguards: readonly Safeguard[];
}

const NAMESPACES = ["--net", "--ipc", "--pid", "--fork", "--kill-child=KILL"];
/** What most systems call a user that owns nothing. */
const NOBODY = { uid: 65_534, gid: 65_534 };
const PROBE_DEADLINE_MS = 10_000;

/**
 * Finds out, by trying, what this machine lets us have: an unprivileged user where this process is
 * root, namespaces for network, processes and shared memory, no new privileges (no sudo), and a
 * limit on the private memory of each process.
 *
 * @param memory the most private memory of one process, in bytes.
 */
export async function isolationHere(memory: number, world: World): Promise<Isolation> {
  const root = process.getuid?.() === 0;
  const user = root ? await nobody() : undefined;
  const works = (prefix: readonly string[]) => tries(prefix, world);
  const become =
    user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const [spaces, privileges, limits] = await Promise.all([
    firstOf(
      root
        ? [["unshare", ...NAMESPACES, "--"]]
        : [["unshare", "--user", "--map-current-user", ...NAMESPACES, "--"]],
      works,
    ),
    firstOf([["setpriv", ...become, "--no-new-privs", "--"]], works),
    firstOf([["prlimit", `--data=${memory}`, "--core=0", "--"]], works),
  ]);
  return {
    prefix: [...(spaces ?? []), ...(limits ?? []), ...(privileges ?? [])],
    user: privileges === undefined ? undefined : user,
    ownProcesses: spaces !== undefined,
    safeguards: [
      {
        name: "no network",
        had: spaces !== undefined,
        detail:
          spaces === undefined
            ? "the system does not let this user make a network namespace; the server listens on no address, only on a socket in a private folder"
            : "namespaces of its own for network, processes and shared memory",
      },
      safeguardOfUser(root, user, privileges !== undefined),
      {
        name: "no way to privileges",
        had: privileges !== undefined,
        detail: privileges === undefined ? "setpriv is not there" : "no_new_privs",
      },
      {
        name: "a limit on memory",
        had: limits !== undefined,
        detail:
          limits === undefined
            ? "prlimit is not there; the use of memory is only watched"
            : "of each process, and the sum is watched",
      },
    ],
  };
}

function safeguardOfUser(root: boolean, user: Isolation["user"], become: boolean): Safeguard {
  const name = "an unprivileged user";
  if (!root) return { name, had: true, detail: "the user of the job, who is not root" };
  return become
    ? { name, had: true, detail: `user ${user?.uid}, who owns nothing else` }
    : { name, had: false, detail: "setpriv is not there" };
}

/** The uid and gid of `nobody` as this machine has them. */
async function nobody(): Promise<{ uid: number; gid: number }> {
  const users = await readFile("/etc/passwd", "utf8").catch(() => "");
  const [, , uid, gid] =
    users
      .split("\n")
      .find((line) => line.startsWith("nobody:"))
      ?.split(":") ?? [];
  const found = { uid: Number(uid), gid: Number(gid) };
  return found.uid > 0 && found.gid > 0 ? found : NOBODY;
}

async function firstOf(
  candidates: readonly (readonly string[])[],
  works: (prefix: readonly string[]) => Promise<boolean>,
): Promise<readonly string[] | undefined> {
  for (const candidate of candidates) if (await works(candidate)) return candidate;
  return undefined;
}

async function tries(prefix: readonly string[], world: World): Promise<boolean> {
  const [program = "", ...args] = [...prefix, "true"];
  try {
    await execute(
      { program, args },
      { signal: world.signal, secrets: world.secrets, deadline: PROBE_DEADLINE_MS },
    );
    return true;
  } catch (error) {
    world.signal.throwIfAborted();
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}
