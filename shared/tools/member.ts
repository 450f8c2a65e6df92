import { posix } from "node:path";
import { archiveError } from "./archive-error.ts";

/** One entry of an archive. */
export interface Member {
  /** With forward slashes, relative, without `.` and `..`. */
  readonly path: string;
  readonly kind: "file" | "folder" | "symbolic-link" | "other";
  readonly executable: boolean;
  /** Where a symbolic link leads. */
  readonly target: string;
  /** The content of a file; may be left unread. */
  readonly content: () => AsyncIterable<Buffer>;
}

/**
 * A member's path in its plain form.
 *
 * @throws {UserError} when it leads out of the folder that the archive is unpacked into.
 */
export function memberPath(raw: string): string {
  const parts = raw.split("/");
  if (/^[/\\]|^[A-Za-z]:|\\|\0/.test(raw) || parts.includes("..")) {
    throw archiveError(
      `It has an entry ${JSON.stringify(raw)}, which leads out of the folder it is unpacked into.`,
    );
  }
  return posix
    .normalize(raw)
    .replace(/^\.\/?/, "")
    .replace(/\/$/, "");
}

/**
 * Holds a symbolic link to the archive's own content.
 *
 * @throws {UserError} when it leads elsewhere.
 */
export function checkLink({ path, target }: Pick<Member, "path" | "target">, folder: string): void {
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  const within = `${end}/`.startsWith(folder);
  if (target.startsWith("/") || end.startsWith("..") || !within) {
    throw archiveError(
      `Its link ${JSON.stringify(path)} leads to ${JSON.stringify(target)}, outside of what is unpacked.`,
    );
  }
}
