import { realpath } from "node:fs/promises";
import { dirname, matchesGlob, relative, resolve } from "node:path";
import type { Kind } from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import { folderIn } from "./folder.ts";
import type { Options } from "./inputs.ts";

type Tokens = Pick<Options, "source" | "pod" | "exclude" | "name"> &
  Partial<Pick<Options, "sourceEndpoint" | "storageEndpoint">>;

/**
 * Holds that a folder or a bucket is not backed up into itself: each backup would hold all the ones
 * before it, and the source would be written to.
 *
 * @throws {UserError} where it would be.
 */
export async function checkApart(
  kind: Kind,
  options: Tokens,
  { place }: Pick<Storage, "place">,
): Promise<void> {
  if (kind === "bucket") checkBuckets(options, place);
  if (kind !== "directory" || options.pod !== undefined || !place.startsWith("folder ")) return;
  const { source = "" } = options;
  const kept = await realOf(place.slice("folder ".length));
  const path = relative(await realOf(folderIn(source)), kept);
  if (path === ".." || path.startsWith("../")) return;
  const where = path === "" ? "the folder" : "inside of the folder";
  throw within(`The storage, ${kept}, is ${where} to back up.`, BETTER);
}

const BETTER = "Keep them somewhere else, better on another machine.";

/** The same bucket will do where a pattern leaves out what the backups lie in. */
function checkBuckets(options: Tokens, place: string): void {
  const { source = "", exclude = [], name, sourceEndpoint, storageEndpoint } = options;
  if (sourceEndpoint !== undefined && sourceEndpoint !== storageEndpoint) return;
  const root = `${source.replace(/\/+$/, "")}/`;
  const kept = `${place.replace(/\/+$/, "")}/`;
  if (!kept.startsWith(root)) return;
  const inside = `${kept.slice(root.length)}${name}/id/manifest.json`;
  if (exclude.some((pattern) => matchesGlob(inside, pattern.trim().replace(/^\//, "")))) return;
  const pattern = `${kept.slice(root.length)}**`;
  throw within(
    `The storage, ${place}, is in what is to be backed up, ${source}.`,
    `Keep them in another bucket, or leave them out: exclude: "${pattern}".`,
  );
}

function within(cause: string, remedy: string): UserError {
  return new UserError({
    title: "The backups would be kept in what is backed up",
    cause,
    remedy: `${remedy} Nothing was written yet.`,
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
