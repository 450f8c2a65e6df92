import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../failure/index.ts";

/** Where backups are kept, as it was understood. */
export type Location =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "s3"; readonly bucket: string; readonly prefix: string }
  | { readonly kind: "artifact"; readonly prefix: string };

/**
 * Reads what a user wrote for a storage: a path or `file:` URL, `s3://bucket/prefix`, or `artifact:`
 * with a prefix where several series share a run.
 *
 * @param folder that a relative path counts from.
 * @throws {UserError} for what is none of these.
 */
export function parseLocation(text: string, folder: string): Location {
  const given = text.trim();
  if (given === "") throw wrong(text, "it is empty");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u001f\u007f]/.test(given)) throw wrong(text, "it has a control character");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(given)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "folder", path: resolve(folder, given) };
  if (scheme === "file") return { kind: "folder", path: pathOf(given) };
  if (scheme === "s3") return bucketOf(given);
  if (scheme === "artifact") return artifactOf(given);
  const known: Readonly<Record<string, string>> = {
    gs: "Google's storage is reached by its S3 API: s3://bucket with the endpoint https://storage.googleapis.com and HMAC keys",
    https: "name a bucket as s3://bucket/prefix, and its server as the endpoint",
    http: "name a bucket as s3://bucket/prefix, and its server as the endpoint",
    azure: "Azure's storage has no S3 API; mount it as a folder",
  };
  throw wrong(text, known[scheme] ?? `${scheme}: is no storage that is known`);
}

function pathOf(given: string): string {
  try {
    return fileURLToPath(given);
  } catch {
    throw wrong(given, "a file URL has the form file:///path");
  }
}

function bucketOf(given: string): Location {
  const [, bucket = "", rest = ""] = /^s3:\/\/([^/?#]*)\/?(.*)$/i.exec(given) ?? [];
  // Source: Amazon S3, "General purpose bucket naming rules"; old buckets also have `_` and capitals.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket)) {
    const hasKeys = given.includes("@");
    const what = hasKeys
      ? "keys do not belong into it"
      : `${JSON.stringify(bucket)} is no name of a bucket`;
    throw wrong(given, what);
  }
  return { kind: "s3", bucket, prefix: prefixOf(given, rest) };
}

function artifactOf(given: string): Location {
  const rest = given.slice("artifact:".length);
  const prefix = prefixOf(given, rest.replace(/^\/+/, ""));
  return { kind: "artifact", prefix: prefix === "" ? "backup/" : prefix };
}

/** Ends with a slash, unless it is empty. */
function prefixOf(given: string, rest: string): string {
  const prefix = rest.replace(/\/+$/, "");
  if (prefix === "") return "";
  const isOdd = prefix.split("/").some((part) => part === "" || part === "." || part === "..");
  if (isOdd || prefix.includes("\\")) throw wrong(given, "its path has an empty, `.` or `..` part");
  return `${prefix}/`;
}

function wrong(text: string, what: string): UserError {
  // Somebody may have written the keys into it; a secret key may have slashes.
  const shown = text.replace(/\/\/[^@\s]*@/, "//***@").slice(0, 200);
  return new UserError({
    title: "The place for backups is not understood",
    cause: `${JSON.stringify(shown)}: ${what}.`,
    remedy:
      "Give a folder (/mnt/backups, ./backups, file:///mnt/backups), a bucket (s3://bucket/prefix), or artifact: for the artifacts of the run.",
  });
}
