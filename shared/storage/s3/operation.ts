/** What S3 is asked to do; each has a permission of its own. */
export type Operation =
  | "write"
  | "write-locked"
  | "read"
  | "look"
  | "list"
  | "delete"
  | "abort"
  | "list-uploads"
  | "thaw"
  | "look-at-versions"
  | "list-versions"
  | "read-version"
  | "look-at-tags";

/** Source: Amazon S3, "Required permissions for Amazon S3 API operations". */
const PERMISSIONS: Readonly<Record<Operation, string>> = {
  write: "s3:PutObject",
  "write-locked": "s3:PutObject and s3:PutObjectRetention",
  read: "s3:GetObject",
  look: "s3:GetObject, and s3:ListBucket so that what is absent can be told from what is forbidden",
  list: "s3:ListBucket",
  delete: "s3:DeleteObject",
  abort: "s3:AbortMultipartUpload",
  "list-uploads": "s3:ListBucketMultipartUploads",
  thaw: "s3:RestoreObject",
  "look-at-versions": "s3:GetBucketVersioning",
  "list-versions": "s3:ListBucketVersions",
  "read-version": "s3:GetObjectVersion",
  "look-at-tags": "s3:GetObjectTagging, and s3:GetObjectVersionTagging of versions",
};

export function permissionFor(operation: Operation): string {
  return PERMISSIONS[operation];
}

const WORDS: Readonly<Record<Operation, string>> = {
  write: "written",
  "write-locked": "written",
  read: "read",
  look: "looked at",
  list: "listed",
  delete: "deleted",
  abort: "taken back",
  "list-uploads": "listed",
  thaw: "thawed",
  "look-at-versions": "looked at",
  "list-versions": "listed with its versions",
  "read-version": "read",
  "look-at-tags": "asked for its tags",
};

/** Completes "cannot be ...". */
export function deedOf(operation: Operation): string {
  return WORDS[operation];
}
