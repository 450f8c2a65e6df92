/** A restore into a database itself that is not done. */
export interface Unfinished {
  /** When it began; ISO 8601. */
  readonly since: string;
  /** The backup of what was there before. */
  readonly previousBackup: string | undefined;
  /** The database's own comment. */
  readonly comment: string | null;
}

const MARK = "Seaworthy restores this database in place: ";

/** The comment of a database that is being restored in place. */
export function markOf({ since, previousBackup, comment }: Unfinished): string {
  return `${MARK}${JSON.stringify({ since, previousBackup, comment })}`;
}

/** What a database's comment says of a restore that was interrupted; undefined where there was none. */
export function readMark(comment: string | null): Unfinished | undefined {
  if (!comment?.startsWith(MARK)) return undefined;
  try {
    const { since, previousBackup, comment: own } = JSON.parse(comment.slice(MARK.length));
    return {
      since: String(since),
      previousBackup: typeof previousBackup === "string" ? previousBackup : undefined,
      comment: typeof own === "string" ? own : null,
    };
  } catch {
    // Somebody has edited it: that it is unfinished is still the case.
    return { since: "an unknown time", previousBackup: undefined, comment: null };
  }
}
