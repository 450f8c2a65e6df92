import { nameOf } from "../../shared/images/index.ts";
import type { Registry } from "../../shared/registry/index.ts";
import { type Stored, short } from "../../shared/retention/index.ts";
import type { Judgement } from "./judgement.ts";
import { inLanes } from "./lanes.ts";

/** What the registry says after the deletion. */
export interface Proof {
  /** Deleted, and still there. */
  readonly remaining: readonly string[];
  /** Kept, and not whole: sentences. */
  readonly broken: readonly string[];
  /** Manifests and blobs of what is kept that were asked for. */
  readonly asked: number;
}

/**
 * Asks the registry whether what was deleted is gone, tags too, and whether all that is kept is
 * still there: every manifest, every blob.
 */
export async function prove(
  { repository, judged }: Judgement,
  deleted: readonly Stored[],
  registry: Registry,
  signal: AbortSignal,
): Promise<Proof> {
  const { path } = repository;
  const name = nameOf(repository);
  const gone = deleted.flatMap(({ digest, tags }) => [digest, ...tags]);
  const kept = judged.filter(({ keep }) => keep).map(({ stored }) => stored);
  // A cache is whole in no registry's eyes: its layers may go, and are made anew.
  const images = kept.filter(({ kind }) => kind === "image" || kind === "index");
  const blobs = [...new Set(images.flatMap((stored) => stored.blobs.map(({ digest }) => digest)))];
  const [still, manifests, layers] = await Promise.all([
    inLanes(gone, (reference) => registry.digestOf(path, reference, signal)),
    inLanes(kept, ({ digest }) => registry.digestOf(path, digest, signal)),
    inLanes(blobs, (digest) => registry.hasBlob(path, digest, signal)),
  ]);
  const digests = new Set(deleted.map(({ digest }) => digest));
  const remaining = gone.filter((reference, at) => {
    const found = still[at];
    // A tag may have been given to another image meanwhile.
    return found !== undefined && (reference.startsWith("sha256:") || digests.has(found));
  });
  const lost = kept.filter((_, at) => manifests[at] === undefined);
  const lostBlobs = new Set(blobs.filter((_, at) => layers[at] === false));
  const damaged = images.flatMap((stored) => {
    const missing = stored.blobs.find(({ digest }) => lostBlobs.has(digest));
    return missing === undefined ? [] : `${name}@${short(stored.digest)} lacks ${missing.digest}`;
  });
  return {
    remaining: remaining.map((reference) => `${name} ${reference}`),
    broken: [...lost.map(({ digest }) => `${name}@${digest} is gone`), ...damaged],
    asked: kept.length + blobs.length,
  };
}
