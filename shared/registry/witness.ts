import { UserError } from "../failure/index.ts";
import { nameOf, normalPlatform, type Repository } from "../images/index.ts";
import type { Clock } from "../world/index.ts";
import {
  type Descriptor,
  type ImageManifest,
  parseManifest,
  platformOfConfig,
} from "./manifest.ts";
import type { Registry, StoredManifest } from "./registry.ts";

/** What a push claims to have left in a registry. */
export interface PushClaim {
  readonly repository: Repository;
  readonly tags: readonly [string, ...string[]];
  /** As the builder said it; undefined when it said none, and then there is nothing to compare. */
  readonly digest: string | undefined;
  /** That must be there; none when the builder's own is enough. */
  readonly platforms: readonly string[];
}

/** An image as the registry itself attests it. */
export interface ProvenImage {
  /** host/path */
  readonly repository: string;
  readonly tag: string;
  readonly tags: readonly string[];
  readonly digest: string;
  /** repository@digest */
  readonly reference: string;
  readonly platforms: readonly string[];
  /** Bytes that a node has to pull for the first platform, as compressed in the registry. */
  readonly size: number;
}

// Few registries show a manifest later than they accept it, and then by less than this.
const LAG_MS = [200, 800, 2_000];
const AT_ONCE = 8;

/**
 * Asks the registry for what was pushed: every tag must lead to the digest that the builder
 * reported, every platform must be there, and every configuration and layer in place.
 *
 * @throws {UserError} that names what is missing or both digests that differ.
 */
export async function witness(
  claim: PushClaim,
  registry: Registry,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProvenImage> {
  const { repository, tags } = claim;
  const [first, ...others] = tags;
  const stored = await patiently(
    () => registry.manifest(repository.path, first, signal),
    clock,
    signal,
  );
  if (stored === undefined) throw missing(claim, `tag ${first}`);
  expectDigest(claim, first, stored.digest);
  await Promise.all(
    others.map(async (tag) => {
      const ask = () => registry.digestOf(repository.path, tag, signal);
      const digest = await patiently(ask, clock, signal);
      if (digest === undefined) throw missing(claim, `tag ${tag}`);
      expectDigest({ ...claim, digest: stored.digest }, tag, digest);
    }),
  );
  const found = await contents(claim, stored, registry, signal);
  expectPlatforms(claim, found.platforms);
  await expectBlobs(claim, found.blobs, registry, signal);
  const name = nameOf(repository);
  return {
    repository: name,
    tag: first,
    tags,
    digest: stored.digest,
    reference: `${name}@${stored.digest}`,
    platforms: found.platforms,
    size: found.size,
  };
}

interface Contents {
  readonly platforms: readonly string[];
  readonly blobs: readonly Descriptor[];
  readonly size: number;
}

async function contents(
  claim: PushClaim,
  stored: StoredManifest,
  registry: Registry,
  signal: AbortSignal,
): Promise<Contents> {
  const { path } = claim.repository;
  const manifest = parseManifest(stored.text);
  if (manifest === undefined) throw unreadable(claim, stored.digest);
  if (manifest.kind === "image") {
    const config = await registry.blob(path, manifest.config.digest, signal);
    const platform = config === undefined ? undefined : platformOfConfig(config);
    if (platform === undefined) throw missing(claim, `configuration ${manifest.config.digest}`);
    return { platforms: [platform], blobs: blobsOf(manifest), size: sizeOf(manifest) };
  }
  const [images] = await Promise.all([
    Promise.all(manifest.images.map((each) => imageAt(claim, each.digest, registry, signal))),
    Promise.all(manifest.attestations.map((each) => imageAt(claim, each.digest, registry, signal))),
  ]);
  return {
    platforms: manifest.images.map(({ platform }) => platform),
    blobs: images.flatMap(blobsOf),
    size: images[0] === undefined ? 0 : sizeOf(images[0]),
  };
}

async function imageAt(
  claim: PushClaim,
  digest: string,
  registry: Registry,
  signal: AbortSignal,
): Promise<ImageManifest> {
  const stored = await registry.manifest(claim.repository.path, digest, signal);
  if (stored === undefined) throw missing(claim, `manifest ${digest}`);
  if (stored.digest !== digest) expectDigest({ ...claim, digest }, digest, stored.digest);
  const manifest = parseManifest(stored.text);
  if (manifest?.kind !== "image") throw unreadable(claim, digest);
  return manifest;
}

function blobsOf({ config, layers }: ImageManifest): Descriptor[] {
  return [config, ...layers];
}

function sizeOf(manifest: ImageManifest): number {
  return blobsOf(manifest).reduce((sum, { size }) => sum + size, 0);
}

async function expectBlobs(
  claim: PushClaim,
  blobs: readonly Descriptor[],
  registry: Registry,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...new Set(blobs.map(({ digest }) => digest))];
  const askInTurn = async () => {
    for (let digest = waiting.pop(); digest !== undefined; digest = waiting.pop()) {
      const there = await registry.hasBlob(claim.repository.path, digest, signal);
      if (!there) throw missing(claim, `layer or configuration ${digest}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, askInTurn));
}

function expectDigest(claim: PushClaim, reference: string, reported: string): void {
  if (claim.digest === undefined || claim.digest === reported) return;
  const name = nameOf(claim.repository);
  throw new UserError({
    title: "The registry holds another image than the one pushed",
    cause: `${name}: ${claim.digest} was pushed, but the registry reports ${reported} for ${reference}.`,
    remedy:
      "Look for another job that pushes the same tag at the same time, or for a proxy or cache before the registry; then run again.",
  });
}

function expectPlatforms(claim: PushClaim, found: readonly string[]): void {
  const absent = claim.platforms.filter((wanted) => !found.includes(normalPlatform(wanted)));
  if (absent.length === 0) return;
  throw new UserError({
    title: "The image in the registry lacks a platform",
    cause: `${nameOf(claim.repository)}:${claim.tags[0]} was to have ${claim.platforms.join(", ")}; the registry has ${found.join(", ") || "none"}, so ${absent.join(", ")} is missing.`,
    remedy:
      "Look for another job that pushes the same tag for one platform only, or for a builder that cannot build for it.",
  });
}

function missing(claim: PushClaim, what: string): UserError {
  return new UserError({
    title: "The registry lacks what was pushed",
    cause: `${nameOf(claim.repository)}: the push was reported as done, but the registry has no ${what}.`,
    remedy:
      "Look for a clean-up that runs at the same time, or for a registry that serves from several places; then run again.",
  });
}

function unreadable(claim: PushClaim, digest: string): UserError {
  return new UserError({
    title: "The registry holds something else than an image",
    cause: `${nameOf(claim.repository)}@${digest} is neither an image manifest nor an index of them.`,
    remedy: "Check that the input `registry` names an OCI registry; then run again.",
  });
}

async function patiently<T>(
  ask: () => Promise<T | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<T | undefined> {
  for (const pause of LAG_MS) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await clock.sleep(pause, signal);
  }
  return ask();
}
