import {
  retain as applyRetention,
  type KeepSettings,
  type Retained,
} from "../../shared/backup/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import type { Storage } from "../../shared/storage/index.ts";
import type { World } from "../../shared/world/index.ts";
import type { Options } from "./inputs.ts";

/**
 * Deletes what the series need not keep any longer; undefined where it keeps everything. The new
 * backup is there by now: what fails here is told beside it.
 */
export async function retain(
  keep: KeepSettings | undefined,
  { name, keepMode }: Options,
  storage: Storage,
  written: string,
  world: World,
): Promise<Retained | undefined> {
  if (keep === undefined) return undefined;
  try {
    return await applyRetention(
      storage,
      name,
      keep,
      { dryRun: keepMode === "dry-run", written },
      world,
    );
  } catch (error) {
    const reason = world.signal.aborted ? world.signal.reason : error;
    if (!(reason instanceof UserError)) throw error;
    return { decisions: [], deleted: [], words: [], failure: notRetained(reason) };
  }
}

function notRetained({ cause, remedy }: UserError): UserError {
  return new UserError({
    title: "Old backups were not looked at to the end",
    cause: `The new backup is written and counts. Deleting what need not be kept broke off: ${cause}`,
    remedy,
  });
}
