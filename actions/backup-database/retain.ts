import { retain as applyRetention, parseKeep, type Retained } from "../../shared/backup/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/** Deletes what the series need not keep any longer; undefined where it keeps everything. */
export async function retain(
  { name, keep, keepMode }: Options,
  storage: Storage,
  world: World,
): Promise<Retained | undefined> {
  const settings = parseKeep(keep);
  if (settings === undefined) return undefined;
  return await applyRetention(storage, name, settings, { dryRun: keepMode === "dry-run" }, world);
}
