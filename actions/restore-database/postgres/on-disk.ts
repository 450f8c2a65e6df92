import { UserError } from "../../../shared/failure/index.ts";
import { type Session, SqlFailed } from "../../../shared/postgres/index.ts";

const FULL = /No space left on device|disk full|Disk quota exceeded/i;

/**
 * Has the server write everything to its disk: a new database is a file of holes at first, and that
 * there is no room for it shows only then. An account that may not ask for it goes without.
 *
 * @throws {UserError} where the server could not write it.
 */
export async function writeToDisk(session: Session): Promise<void> {
  try {
    await session.run("CHECKPOINT");
  } catch (error) {
    // 42501, insufficient_privilege.
    if (!(error instanceof SqlFailed) || error.sqlstate === "42501") return;
    throw new UserError(
      {
        title: "The target cannot write what was restored to its disk",
        cause: `The server was asked to write everything to its disk (CHECKPOINT), and failed: ${error.said.replace(/\.$/, "")}. Mostly the disk is full; the server's log says which file it was.`,
        remedy:
          "Make room at the server, for the former contents and the restored ones at once, and run again.",
      },
      { reason: error },
    );
  }
}

/** What a server says that has no room left, as what it is; undefined for every other error. */
export function ofFullDisk(error: unknown): UserError | undefined {
  if (!(error instanceof UserError)) return undefined;
  const isServers = error instanceof SqlFailed || /^No connection/.test(error.title);
  const said = `${error.cause}\n${error.evidence ?? ""}`;
  // 53100, disk_full.
  const isFull = (error instanceof SqlFailed && error.sqlstate === "53100") || FULL.test(said);
  if (!isServers || !isFull) return undefined;
  return new UserError(
    {
      title: "The target's disk is full",
      cause: error.cause,
      remedy:
        "Make room at the server, for the former contents and the restored ones at once, and run again; that drops what this run left.",
      ...(error.evidence !== undefined && { evidence: error.evidence }),
    },
    { reason: error },
  );
}
