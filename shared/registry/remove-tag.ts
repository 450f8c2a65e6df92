import { randomUUID } from "node:crypto";
import { digestOfText, type StoredManifest } from "./manifest.ts";
import type { TagMove } from "./move-tags.ts";
import type { Registry } from "./registry.ts";

/**
 * Removes a tag and leaves what it led to. Where the registry deletes no tags, the tag is moved to
 * a twin of its image, the same but for an annotation, and the twin deleted by its digest: with it
 * goes the tag, and at no time does it lead to anything else than that image's content.
 *
 * @returns whether it is gone; false where the registry deletes nothing.
 */
export async function removeTag(
  registry: Registry,
  { repository, tag, manifest }: TagMove & { readonly manifest: StoredManifest },
  signal: AbortSignal,
): Promise<boolean> {
  const { path } = repository;
  if ((await registry.deleteTag(path, tag, signal)) !== "unsupported") return true;
  const twin = twinOf(manifest);
  // Untagged at first: only where such a one can be deleted does the tag go on to it.
  await registry.putManifest(path, twin.digest, twin, signal);
  if ((await registry.deleteManifest(path, twin.digest, signal)) === "unsupported") return false;
  await registry.putManifest(path, tag, twin, signal);
  await registry.deleteManifest(path, twin.digest, signal);
  if ((await registry.digestOf(path, tag, signal)) === undefined) return true;
  await registry.putManifest(path, tag, manifest, signal);
  return false;
}

function twinOf({ text, mediaType }: StoredManifest): StoredManifest {
  const manifest = JSON.parse(text) as { annotations?: Record<string, string> };
  const annotations = { ...manifest.annotations, "dev.seaworthy.removing": randomUUID() };
  const twin = JSON.stringify({ ...manifest, annotations });
  return { text: twin, digest: digestOfText(twin), mediaType };
}
