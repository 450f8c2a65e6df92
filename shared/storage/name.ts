import { UserError } from "../failure/index.ts";

/** S3's limit; a folder's is higher, an artifact's lower. */
const MOST_BYTES = 1024;

/**
 * Holds a name to what every storage can keep: parts separated by single slashes, none of them
 * `.` or `..`, no backslash and no control character, at most 1024 bytes.
 *
 * @throws {UserError} for any other name: it could lead out of the storage.
 */
export function checkName(name: string): void {
  const wrong = problemOf(name);
  if (wrong === undefined) return;
  throw new UserError({
    title: "A name cannot be kept in a storage",
    cause: `${JSON.stringify(name.slice(0, 200))} ${wrong}.`,
    remedy: "Use letters, digits, points, hyphens and underscores, with slashes between parts.",
  });
}

/** Whether a name is one that {@link checkName} takes. */
export function isName(name: string): boolean {
  return problemOf(name) === undefined;
}

function problemOf(name: string): string | undefined {
  if (name === "") return "is empty";
  if (Buffer.byteLength(name) > MOST_BYTES) return `is longer than ${MOST_BYTES} bytes`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f\\]/.test(name)) return "has a control character or a backslash";
  if (!name.isWellFormed()) return "is no valid Unicode";
  for (const part of name.split("/")) {
    if (part === "") return "has an empty part";
    if (part === "." || part === "..") return "leads out of its folder";
  }
  return undefined;
}

/** The order of names: of their UTF-8 bytes, as S3 lists them. */
export function byName(a: string, b: string): number {
  // Alike for all that has no character beyond U+FFFF, and quicker.
  if (!/[\ud800-\udfff]/.test(a + b)) return a < b ? -1 : a > b ? 1 : 0;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
