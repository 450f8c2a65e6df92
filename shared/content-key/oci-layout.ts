import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, UserError } from "../failure/index.ts";

/**
 * What identifies the content of `oci-layout://FOLDER[:TAG][@DIGEST]`: the digest given, else the
 * folder's index, which holds the digests of all that is in it.
 *
 * @throws {UserError} when there is no such index.
 */
export function layoutDigest(reference: string): string {
  const [place = "", digest] = reference.split("@");
  if (digest !== undefined) return digest;
  const [, folder = "", tag = ""] = /^(.*?)(?::([^/:]*))?$/.exec(place) ?? [];
  try {
    const index = readFileSync(join(folder, "index.json"));
    return createHash("sha256").update(`${tag}\n`).update(index).digest("hex");
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    throw new UserError({
      title: "An image layout cannot be read",
      cause: `oci-layout://${reference}: ${(error as Error).message}.`,
      remedy: "Give the folder that holds the layout's index.json.",
    });
  }
}
