import { UserError } from "../failure/index.ts";
import type { Ended } from "../place/index.ts";
import { type Connection, connectionFailure } from "../postgres/index.ts";
import { lockHeld } from "./snapshot.ts";

interface Reason {
  readonly pattern: RegExp;
  readonly title: string;
  readonly remedy: string;
}

/** By pg_dump's and the server's own words, in English; the first that fits. */
const REASONS: readonly Reason[] = [
  {
    pattern: /row-level security/i,
    title: "Row-level security hides rows from the dump",
    remedy: "Give the role BYPASSRLS, or dump as a role that has it.",
  },
  {
    pattern: /permission denied|must be (owner|superuser)/i,
    title: "The dump may not read something",
    remedy: "Give the role pg_read_all_data, or dump as a role that may read everything.",
  },
  {
    pattern: /snapshot too old/i,
    title: "The snapshot is too old",
    remedy:
      "The server forgets old rows before the dump is done: raise or unset old_snapshot_threshold, or back up when less is written.",
  },
  {
    pattern: /conflict with recovery/i,
    title: "The standby ended the dump",
    remedy:
      "What it replays conflicts with long reads: raise max_standby_streaming_delay there, set hot_standby_feedback, or connect to the primary.",
  },
  {
    pattern:
      /invalid snapshot identifier|snapshot ".*" does not exist|could not import the requested snapshot|source (process|transaction) .* (is not|no longer)/i,
    title: "The snapshot is gone",
    remedy:
      "The dump came to another server, or the connection that holds the snapshot was lost. Behind a name that leads to several servers, or a pooler, name one server itself.",
  },
  {
    pattern: /No space left on device|could not write to file|Disk quota exceeded/i,
    title: "The disk is full",
    remedy:
      "Make room for the temporary files of the dump (RUNNER_TEMP), or use the custom format, which needs none.",
  },
  {
    pattern: /server version mismatch/i,
    title: "pg_dump is too old for the server",
    remedy: "Install the client programs of the server's major version, or name their folder.",
  },
  {
    pattern: /out of shared memory|max_locks_per_transaction/i,
    title: "The server has no room for so many locks",
    remedy: "Raise max_locks_per_transaction on the server, which needs a restart.",
  },
  {
    pattern:
      /invalid page|could not read block|checksum|missing chunk number|compressed pglz data is corrupt|invalid memory alloc|cache lookup failed|unexpected chunk number/i,
    title: "The server's own data are damaged",
    remedy:
      "Keep all earlier backups, look at the server's log and its disks, and see what amcheck says before anything is repaired.",
  },
];

const LOST =
  /server closed the connection|terminating connection|connection to server .* (failed|was lost)|could not receive data|SSL SYSCALL|connection not open|no connection to the server/i;

export interface FailedDump {
  readonly program: string;
  readonly ended: Ended;
  readonly connection: Connection;
  readonly place: string;
  readonly lockWaitSeconds: number;
}

/** Why a dump failed, and what to do. */
export function dumpFailure(failed: FailedDump): UserError {
  const { program, ended, connection, place, lockWaitSeconds } = failed;
  const stderr = ended.stderr.trim();
  if (/lock timeout|could not obtain lock|lock not available/i.test(stderr)) {
    return lockHeld([], lockWaitSeconds, new Error(stderr));
  }
  const reason = REASONS.find(({ pattern }) => pattern.test(stderr));
  if (reason === undefined && LOST.test(stderr)) {
    const connected = !/connection to server .* failed/i.test(stderr);
    return connectionFailure({ connection, place, stderr, connected });
  }
  return new UserError({
    title: reason?.title ?? `${program} failed`,
    cause: `${program} of ${connection.subject} failed: ${wordsOf(stderr) || ended.message}.`,
    remedy: reason?.remedy ?? "See what it wrote, and the server's log.",
    ...(stderr === "" ? {} : { evidence: stderr }),
  });
}

/** The line that tells why, without the names of programs; later ones repeat it. */
function wordsOf(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim());
  const telling =
    lines.find((line) => /ERROR|FATAL|PANIC/.test(line)) ??
    lines.find((line) => /error:/.test(line)) ??
    lines.findLast((line) => line !== "");
  return (telling ?? "")
    .replace(/^pg_dump(all)?: (error: )?/, "")
    .replace(/\.$/, "")
    .slice(0, 400);
}
