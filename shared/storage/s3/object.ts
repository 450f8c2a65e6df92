import type { StoredObject } from "../storage.ts";

/** What HEAD tells of an object. Source: Amazon S3, HeadObject. */
export interface ObjectFacts extends StoredObject {
  readonly etag: string;
  /** Base64; with `-N` behind it where it is a sum of the sums of N parts. */
  readonly sha256: string | undefined;
  readonly crc32: string | undefined;
  /** How it was cut into parts, where we wrote it. */
  readonly plan: string | undefined;
  readonly version: string | undefined;
  readonly hold: boolean;
  readonly lockMode: string | undefined;
  readonly storageClass: string;
  /** `ARCHIVE_ACCESS` or `DEEP_ARCHIVE_ACCESS` of Intelligent-Tiering. */
  readonly archive: string | undefined;
  /** The ETag is no MD5 where a KMS key or a customer's own was used. */
  readonly encryption: string | undefined;
}

const FROZEN_CLASSES = new Set(["GLACIER", "DEEP_ARCHIVE"]);

export function factsOf(name: string, headers: Readonly<Record<string, string>>): ObjectFacts {
  const storageClass = headers["x-amz-storage-class"] ?? "STANDARD";
  const lockedUntil = Date.parse(headers["x-amz-object-lock-retain-until-date"] ?? "");
  return {
    name,
    bytes: Number(headers["content-length"] ?? "0"),
    modified: Date.parse(headers["last-modified"] ?? "") || 0,
    state: stateOf(storageClass, headers["x-amz-archive-status"], headers["x-amz-restore"]),
    lockedUntil: Number.isNaN(lockedUntil) ? undefined : lockedUntil,
    etag: (headers.etag ?? "").replaceAll('"', ""),
    sha256: headers["x-amz-checksum-sha256"],
    crc32: headers["x-amz-checksum-crc32"],
    plan: headers["x-amz-meta-seaworthy-parts"],
    version: headers["x-amz-version-id"],
    hold: headers["x-amz-object-lock-legal-hold"] === "ON",
    lockMode: headers["x-amz-object-lock-mode"],
    storageClass,
    archive: headers["x-amz-archive-status"],
    encryption: headers["x-amz-server-side-encryption"],
  };
}

/**
 * Whether an object can be read now.
 *
 * @param restore `ongoing-request="true"`, or `"false"` with an expiry, once a thaw was asked for.
 */
export function stateOf(
  storageClass: string,
  archive: string | undefined,
  restore: string | undefined,
): StoredObject["state"] {
  if (!FROZEN_CLASSES.has(storageClass) && archive === undefined) return "ready";
  if (restore === undefined) return "frozen";
  return /ongoing-request="true"/.test(restore) ? "thawing" : "ready";
}
