import { text } from "node:stream/consumers";
import type { Storage } from "../storage/index.ts";
import { bytesOf } from "./bytes-of.ts";
import type { Catalogue } from "./catalogue.ts";
import { MANIFEST } from "./identity.ts";
import { readManifest } from "./read-manifest.ts";

/**
 * How many bytes the next backup of a series may have: as many as the newest. Undefined where that
 * cannot be told; it is for the progress only, and never a reason to fail.
 */
export async function guessBytes(
  { backups }: Catalogue,
  storage: Storage,
  signal: AbortSignal,
): Promise<number | undefined> {
  const newest = backups.at(-1);
  if (newest === undefined) return undefined;
  try {
    const json = await text(await storage.read(`${newest.folder}${MANIFEST}`, { signal }));
    return bytesOf(readManifest(json)).bytes;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
