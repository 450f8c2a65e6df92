import { isTree, keyed } from "./list.ts";
import type { Path, Step } from "./path.ts";

/** What stands for a value that must not be shown. */
export const HIDDEN = "(hidden)";

/** Keys and names whose texts are secrets more often than not. */
const SECRET_NAME =
  /(passw(or)?d|passphrase|secret|token|api_?key|private_?key|access_?key|credentials?)(_?base64|_?base)?$|secret_?key/i;
/** A checksum of a Secret lets a short one be guessed. */
const CHECKSUM = /checksum|hash|digest|sha\d*sum/i;
/** `postgres://user:password@host` */
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^/\s:@]*:[^/\s@]+@/gi;

/** How values of one object are made fit to be shown. */
export interface Mask {
  readonly kind: string;
  /** Replaces the secrets that are known. */
  readonly redact: (text: string) => string;
}

/**
 * Whether the value at a path is never shown: the contents of a Secret, texts under names that
 * speak of secrets, and checksums in annotations, which may be those of a Secret.
 */
export function isHidden(kind: string, path: Path, value: unknown): boolean {
  const [root, key] = path;
  if (kind === "Secret" && (root === "data" || root === "stringData")) return path.length > 1;
  if (typeof value !== "string" && typeof value !== "number") return false;
  const [before, last] = [path.at(-2), path.at(-1)];
  if (last === "value" && before !== undefined && typeof before !== "string") {
    return SECRET_NAME.test(before.item);
  }
  if (before === "annotations" && typeof last === "string" && CHECKSUM.test(last)) return true;
  if (kind === "ConfigMap" && root === "data") return nameOf(key).search(SECRET_NAME) >= 0;
  return typeof value === "string" && nameOf(last).search(SECRET_NAME) >= 0;
}

/** A copy of a value in which nothing is left that must not be shown. */
export function masked(value: unknown, path: Path, mask: Mask): unknown {
  if (isHidden(mask.kind, path, value)) return HIDDEN;
  if (typeof value === "string") {
    return mask.redact(value).replace(USER_INFO, (_, scheme: string) => `${scheme}***@`);
  }
  if (Array.isArray(value)) {
    const [items] = keyed(value) ?? [];
    const names = items === undefined ? value.map((_, index) => String(index)) : [...items.keys()];
    return value.map((item, index) => masked(item, [...path, { item: names[index] ?? "" }], mask));
  }
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, masked(inner, [...path, key], mask)]),
  );
}

function nameOf(step: Step | undefined): string {
  return typeof step === "string" ? step : (step?.item ?? "");
}
