import { randomUUID } from "node:crypto";
import type { Repository } from "../images/index.ts";
import { digestOfText, type StoredManifest } from "./manifest.ts";
import type { Registry } from "./registry.ts";

/** A tag that is to go, and what it leads to. */
export interface Removal {
  readonly repository: Repository;
  readonly tag: string;
  readonly manifest: StoredManifest;
}

/**
 * Removes a tag and leaves what it led to. Where the registry deletes no tags, the tag is moved to
 * a twin of its image, the same but for an annotation, and the twin deleted by its digest: with it
 * goes the tag, and at no time does it lead to anything else than that image's content.
 *
 * @returns whether it is gone; false where the registry deletes nothing.
 */
export async function removeTag(
  registry: Registry,
  { repository, tag, manifest }: Removal,
  signal: AbortSignal,
): Promise<boolean> {
  const { path } = repository;
  if ((await registry.deleteTag(path, tag, signal)) !== "unsupported") return true;
  const twin = twinOf(manifest);
  // Untagged at first: only where such a one can be deleted does the tag go on to it.
  await registry.putManifest(path, twin.digest, twin, signal);
  if ((await registry.deleteManifest(path, twin.digest, signal)) === "unsupported") return false;
  // A move of which no answer came may have been made all the same: the twin goes in any case.
  const [moved] = await Promise.allSettled([registry.putManifest(path, tag, twin, signal)]);
  await registry.deleteManifest(path, twin.digest, signal);
  const now = (await registry.manifest(path, tag, signal))?.digest;
  if (now === undefined) return true;
  if (now === twin.digest) await registry.putManifest(path, tag, manifest, signal);
  if (moved.status === "rejected") throw moved.reason;
  return false;
}

function twinOf({ text, mediaType }: StoredManifest): StoredManifest {
  const manifest = JSON.parse(text) as { annotations?: Record<string, string> };
  const annotations = { ...manifest.annotations, "dev.seaworthy.removing": randomUUID() };
  const twin = JSON.stringify({ ...manifest, annotations });
  return { text: twin, digest: digestOfText(twin), mediaType };
}
