import { codeOf, UserError } from "../failure/index.ts";
import { LimitReached } from "../postgres-restore/index.ts";
import type { Finding } from "../proof/index.ts";
import type { Ledger } from "./ledger.ts";
import type { WalFindings } from "./read-wal.ts";
import { momentText } from "./target.ts";

const FULL = /No space left on device|disk full|Disk quota exceeded/i;
/** So many reasons are told. */
const TOLD = 8;

const TITLES: Readonly<Record<string, string>> = {
  "point-in-time": "The point in time cannot be reached",
  "wal-gap": "WAL is missing",
  wal: "The WAL is damaged",
  timeline: "There is no way to that timeline",
  recovery: "Recovery failed",
};

/**
 * Why nothing can be recovered, in the words of what was found, and what still can be.
 *
 * @param log what the server said last.
 */
export function notRecoverable(
  { findings }: Pick<Ledger, "findings">,
  wal: Pick<WalFindings, "last"> | undefined,
  log = "",
): UserError {
  const damage = findings.filter(({ weight }) => weight === "damage");
  const [first] = damage;
  const lines = damage.slice(0, TOLD).map(({ subject, what }) => `${subject}: ${what}`);
  const full = [...lines, log].find((line) => FULL.test(line));
  if (full !== undefined) return noRoom(FULL.exec(full)?.[0] ?? "", log);
  return new UserError({
    title: TITLES[first?.detector ?? ""] ?? "The backup is damaged",
    cause: lines.join("\n") || "It is no whole base backup.",
    remedy: remedyOf(first, wal),
    ...(log !== "" && { evidence: log }),
  });
}

function remedyOf(first: Finding | undefined, wal: Pick<WalFindings, "last"> | undefined): string {
  const reachable =
    wal?.last === undefined ? undefined : `\`point-in-time: ${momentText(wal.last.time)}\``;
  switch (first?.detector) {
    case "point-in-time":
      return /before the end of the base backup/.test(first.what)
        ? "Give an older base backup (`backup`), or a later moment."
        : reachable === undefined
          ? "Give `latest`, which takes all that there is, or look where later WAL is kept."
          : `Give ${reachable}, the last transaction that there is, or look where later WAL is kept.`;
    case "wal-gap":
    case "wal":
    case "compression":
      if (reachable !== undefined)
        return `Look for what is missing or damaged in another copy of the archive; or give ${reachable}, the last moment that can be reached without it.`;
      return "Look for what is missing or damaged in another copy of the archive, or give another base backup (`backup`).";
    case "timeline":
      return "Give `timeline`, or bring the missing history file into the archive.";
    case "recovery":
      return "The log has what the server said. Give another base backup (`backup`), or another moment.";
    default:
      return "Give another base backup (`backup`).";
  }
}

/** The error that the end of the disk's space stands for; undefined for every other. */
export function diskFull(error: unknown): UserError | undefined {
  if (error instanceof LimitReached)
    return error.limit === "disk" ? noRoom(error.message) : undefined;
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") return noRoom(code);
  if (error instanceof UserError && FULL.test(`${error.cause}\n${error.evidence ?? ""}`))
    return noRoom(FULL.exec(`${error.cause}\n${error.evidence ?? ""}`)?.[0] ?? "", error.evidence);
  return undefined;
}

function noRoom(said: string, evidence = ""): UserError {
  return new UserError({
    title: "The disk of this machine is full",
    cause: `A recovered copy of the whole cluster has to have room here, and has not: ${said.replace(/\.$/, "")}.`,
    remedy:
      "Use a runner with a larger disk, or name a folder on one by the environment variable TMPDIR, and run again.",
    ...(evidence !== "" && { evidence }),
  });
}

/** A base backup without any WAL. */
export function noWal(segment: string): UserError {
  return new UserError({
    title: "The base backup's WAL was not named",
    cause: `The base backup has no WAL in it, and recovery begins in segment ${segment}; \`wal\` is not given.`,
    remedy: "Name the folder of the storage with the archived WAL in `wal`.",
  });
}
