import { createHash, createHmac, randomBytes } from "node:crypto";
import type { ConfigKind } from "./declaration.ts";

/** Kept in the Secret itself, so that only who may read its content can try out checksums. */
export const SALT = "seaworthy.dev/checksum-salt";

export function newSalt(): string {
  return randomBytes(16).toString("base64url");
}

/**
 * A short name for a content: the same for the same, another for another.
 *
 * It stands in the template of pods, where more people can read it than may read the Secret. A plain
 * hash of a weak password could be found by trying; so that of a Secret is keyed with a random salt
 * that the Secret itself keeps in an annotation. 64 bits suffice to tell contents apart.
 */
export function checksumOf(
  kind: ConfigKind,
  content: ReadonlyMap<string, Buffer>,
  salt: string | undefined,
): string {
  const hash = kind === "Secret" ? createHmac("sha256", `seaworthy:${salt}`) : createHash("sha256");
  for (const key of [...content.keys()].sort()) {
    const value = content.get(key) ?? Buffer.alloc(0);
    // Lengths keep ("ab", "c") apart from ("a", "bc").
    hash.update(`${Buffer.byteLength(key)}:${key}${value.length}:`).update(value);
  }
  return hash.digest("hex").slice(0, 16);
}

/** Whether two contents are the same. */
export function sameContent(
  a: ReadonlyMap<string, Buffer>,
  b: ReadonlyMap<string, Buffer>,
): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key)?.equals(value) === true);
}
