import { FormatError } from "../failure/index.ts";
import { CommandFailed, type Execution, execute } from "../process/index.ts";
import { checkoutOf } from "./checkout.ts";

/** When the commit was made that is built: the time that a reproducible image bears. */
export interface CommitTime {
  /** Seconds since the Unix epoch, as SOURCE_DATE_EPOCH has them. */
  readonly seconds: number;
  readonly from: "SOURCE_DATE_EPOCH" | "git" | "event" | "nothing";
  /** The commit that is checked out, where git told. */
  readonly commit: string | undefined;
  /** What the log should say of it; undefined when there is nothing out of the ordinary. */
  readonly said: string | undefined;
}

/**
 * When the commit in the workspace was made: from SOURCE_DATE_EPOCH where the user sets it, else
 * from git, else from what the event tells of the commit; else the epoch itself, so that images
 * are the same from run to run even then. Never from the clock.
 *
 * Source of SOURCE_DATE_EPOCH: reproducible-builds.org/specs/source-date-epoch.
 *
 * @param folder what is built, relative to the workspace, which may hold several checkouts
 * @param timestamp the commit's time as the event has it, in ISO 8601
 */
export async function commitTime(
  workspace: string,
  given: {
    readonly sourceDateEpoch: number | undefined;
    readonly timestamp: string | undefined;
    readonly folder?: string | undefined;
  },
  execution: Execution,
): Promise<CommitTime> {
  const set = given.sourceDateEpoch;
  const asked = await askGit(workspace, given.folder ?? ".", execution);
  const commit = "commit" in asked ? asked.commit : undefined;
  if (set !== undefined) {
    return { seconds: set, from: "SOURCE_DATE_EPOCH", commit, said: undefined };
  }
  if ("commit" in asked) {
    return { seconds: asked.seconds, from: "git", commit, said: undefined };
  }
  const seconds = Math.floor(Date.parse(given.timestamp ?? "") / 1_000);
  if (seconds >= 0) {
    const said = `The images bear the commit's time as the event tells it, for ${asked.reason}.`;
    return { seconds, from: "event", commit, said };
  }
  const said = `It is not known when the commit was made, for ${asked.reason}: the images bear the time 1970-01-01T00:00:00Z. Set SOURCE_DATE_EPOCH in the step's env for another.`;
  return { seconds: 0, from: "nothing", commit, said };
}

/** The latest time that headers of tar archives hold, in their 11 octal digits. */
const LATEST = 2 ** 33 - 1;

/**
 * Reads the environment variable SOURCE_DATE_EPOCH; undefined when it is not set.
 *
 * @throws {FormatError} when it is no whole number of seconds.
 */
export function parseSourceDateEpoch(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (trimmed === "") return undefined;
  const seconds = Number(trimmed);
  if (/^\d+$/.test(trimmed) && seconds <= LATEST) return seconds;
  throw new FormatError(
    `SOURCE_DATE_EPOCH is ${JSON.stringify(trimmed)}; it must be a whole number of seconds since 1970`,
  );
}

type Answer = { readonly seconds: number; readonly commit: string } | { readonly reason: string };

async function askGit(workspace: string, folder: string, execution: Execution): Promise<Answer> {
  // Git by itself would go on to look above the workspace, and find another project's.
  const checkout = checkoutOf(workspace, folder);
  if (checkout === undefined) return { reason: "the workspace is no git repository" };
  try {
    const { stdout } = await execute(
      {
        program: "git",
        // In a container the workspace often belongs to another user, which git refuses to trust.
        args: ["-c", "safe.directory=*", "rev-list", "-1", "--timestamp", "HEAD"],
        directory: checkout,
        environment: { GIT_DIR: undefined, GIT_WORK_TREE: undefined, LC_ALL: "C" },
      },
      execution,
    );
    const [, seconds, commit] = /^(\d+) ([0-9a-f]{40,64})$/m.exec(stdout) ?? [];
    if (commit === undefined) return { reason: "git tells no time of the commit" };
    return { seconds: Number(seconds), commit };
  } catch (error) {
    if (!(error instanceof CommandFailed) || error.why === "cancelled") throw error;
    const own = error.stderrTail.trim().split("\n")[0];
    return { reason: own ? `git says: ${own}` : error.message };
  }
}
