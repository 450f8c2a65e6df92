import { UserError } from "../failure/index.ts";
import { nameOf, type Repository } from "../images/index.ts";
import type { Clock } from "../world/index.ts";
import { proveImage } from "./inspect.ts";
import type { Registry } from "./registry.ts";

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

// Few registries show a tag later than they accept it, and then by less than this.
const LAG_MS = [200, 800, 2_000];

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
  const { repository, tags, platforms } = claim;
  const [first] = tags;
  const found = await Promise.all(
    tags.map(async (tag) => {
      const ask = () => registry.digestOf(repository.path, tag, signal);
      const digest = await patiently(ask, clock, signal);
      if (digest === undefined) throw untagged(claim, tag);
      expectDigest(claim, tag, digest);
      return digest;
    }),
  );
  const [led = ""] = found;
  for (const [at, digest] of found.entries()) {
    expectDigest({ ...claim, digest: led }, tags[at] ?? first, digest);
  }
  const place = { repository, reference: led, platforms };
  const image = await proveImage(place, registry, clock, signal);
  const { digest, reference, size } = image;
  return {
    repository: image.repository,
    tag: first,
    tags,
    digest,
    reference,
    platforms: image.platforms,
    size,
  };
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

function untagged(claim: PushClaim, tag: string): UserError {
  return new UserError({
    title: "The registry lacks what was pushed",
    cause: `${nameOf(claim.repository)}: the push was reported as done, but the registry has no tag ${tag}.`,
    remedy:
      "Look for a clean-up that runs at the same time, or for a registry that serves from several places; then run again.",
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
