import { realpath } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import type { Kind } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { Options } from "./inputs.ts";

/**
 * Holds that a folder is not backed up into itself: each backup would hold all the ones before it, and
 * the source would be written to.
 *
 * @throws {UserError} where it would be.
 */
export async function checkApart(
  kind: Kind,
  { source = "", pod }: Pick<Options, "source" | "pod">,
  { place }: Pick<Storage, "place">,
): Promise<void> {
  if (kind !== "directory" || pod !== undefined || !place.startsWith("folder ")) return;
  const kept = await realOf(place.slice("folder ".length));
  const path = relative(await realOf(source), kept);
  if (path === ".." || path.startsWith("../")) return;
  throw new UserError({
    title: "The backups would be kept in what is backed up",
    cause: `The storage, ${kept}, is ${path === "" ? "the folder" : "inside of the folder"} to back up.`,
    remedy: "Keep them somewhere else, better on another machine. Nothing was written yet.",
  });
}

/** Where a path really is; what of it is not there yet, as it is written. */
async function realOf(path: string): Promise<string> {
  const whole = resolve(path);
  for (let there = whole; ; there = dirname(there)) {
    const real = await realpath(there).catch(() => undefined);
    if (real !== undefined) return resolve(real, relative(there, whole));
    if (there === dirname(there)) return whole;
  }
}
