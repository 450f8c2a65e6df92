import type { World } from "../world/index.ts";
import { type ManifestText, readDocuments } from "./documents.ts";
import { download } from "./download.ts";
import { buildKustomization } from "./kustomize.ts";
import { objectsIn, type SourcedObject } from "./objects.ts";
import { findManifests, readManifestFile } from "./paths.ts";
import type { ManifestSource } from "./source.ts";

/**
 * Reads all objects from all sources, in the order in which they are named. Tells in the log what
 * builds a kustomization, and which folders below are not read.
 *
 * @param workspace what relative paths start from.
 * @throws {UserError} with the place where anything cannot be read or is no object.
 */
export async function readManifests(
  sources: readonly ManifestSource[],
  workspace: string,
  world: Pick<World, "environment" | "log" | "secrets" | "signal">,
): Promise<readonly SourcedObject[]> {
  const objects: SourcedObject[] = [];
  const seen = new Set<string>();
  for (const source of sources) {
    for await (const text of textsOf(source, workspace, world, seen)) {
      objects.push(...objectsIn(readDocuments(text)));
    }
  }
  return objects;
}

async function* textsOf(
  source: ManifestSource,
  workspace: string,
  world: Pick<World, "environment" | "log" | "secrets" | "signal">,
  seen: Set<string>,
): AsyncGenerator<ManifestText> {
  if (source.kind === "inline") yield { name: source.name, text: source.text };
  if (source.kind === "url") yield await download(source, world.environment, world.signal);
  if (source.kind !== "path") return;
  const found = await findManifests(source.path, workspace);
  if (found.kind === "kustomization") {
    const { text, by } = await buildKustomization(found.folder, workspace, world);
    world.log.info(`${source.path} is a kustomization: built by ${by}.`);
    yield text;
    return;
  }
  if (found.unread.length > 0) {
    world.log.info(
      `Of ${source.path} its own files are read, not those of ${found.unread.join(", ")}.`,
    );
  }
  for (const file of found.files) {
    // Named by a path and by a glob, it is still one file.
    if (seen.has(file)) continue;
    seen.add(file);
    yield await readManifestFile(file, workspace);
  }
}
