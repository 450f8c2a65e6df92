import { join } from "node:path";
import type { World } from "../world/index.ts";
import { locationText, workspaceOf } from "./access.ts";
import { FolderStorage } from "./folder/folder-storage.ts";
import { type Location, parseLocation } from "./location.ts";
import type { StorageSettings } from "./settings.ts";
import type { Storage } from "./storage.ts";

/**
 * Opens the storage that a user named, and holds that it is there and lets itself be listed.
 *
 * @throws {UserError} where the location is not understood, or the storage is not there.
 */
export async function openStorage(settings: StorageSettings, world: World): Promise<Storage> {
  const location = parseLocation(locationText(settings, world), workspaceOf(world));
  return openLocation(location, settings, world);
}

async function openLocation(
  location: Location,
  settings: StorageSettings,
  world: World,
): Promise<Storage> {
  if (location.kind === "folder") {
    const storage = new FolderStorage(join(location.path), settings.create === true, world);
    await storage.check();
    return storage;
  }
  if (location.kind === "s3") {
    // Loaded only where it is needed.
    const { openBucket } = await import("./s3/s3-storage.ts");
    return openBucket(location, settings, world);
  }
  const { openArtifacts } = await import("./artifact/artifact-storage.ts");
  return openArtifacts(location, settings, world);
}
