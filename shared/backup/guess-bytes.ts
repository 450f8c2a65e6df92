import { text } from "node:stream/consumers";
import type { Storage } from "../storage/index.ts";
import { catalogue } from "./catalogue.ts";
import { MANIFEST } from "./identity.ts";
import { readManifest } from "./read-manifest.ts";

/**
 * How many bytes the next backup of a series may have: as many as the newest. Undefined where that
 * cannot be told; it is for the progress only, and never a reason to fail.
 */
export async function guessBytes(
  storage: Storage,
  name: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    const newest = (await catalogue(storage, name, signal)).backups.at(-1);
    if (newest === undefined) return undefined;
    const json = await text(await storage.read(`${newest.folder}${MANIFEST}`, { signal }));
    const { parts, fingerprint } = readManifest(json);
    return [...parts, fingerprint].reduce((sum, { bytes }) => sum + bytes, 0);
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
