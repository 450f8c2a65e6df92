import { CACHE_TAG } from "../../shared/buildkit/index.ts";
import { UserError } from "../../shared/failure/index.ts";
import { moveTags, type StoredImage, type TagMove } from "../../shared/registry/index.ts";
import { cacheSetting } from "./caches.ts";
import { keyTag } from "./decide.ts";
import type { Options } from "./inputs.ts";
import { placesOf } from "./places.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/** What became of the tags: all of them were moved, or none and why. */
export interface Release {
  readonly passages: readonly Passage[];
  readonly failure?: UserError;
}

/**
 * Moves the tags of all services to what passed the gate, and has the registry say that they lead
 * there: all or none. The tag of the content key is among them, so that whatever is found under a
 * key has been through the gate.
 */
export async function release(
  passages: readonly Passage[],
  { workshop, world, options }: Step,
): Promise<Release> {
  if (world.signal.aborted || passages.some(({ failure }) => failure !== undefined)) {
    return { passages };
  }
  const { registries } = workshop;
  const { clock, log, signal, aftermath } = world;
  try {
    const moves = passages.flatMap((passage) => movesOf(passage, options));
    await moveTags(moves, { registries, clock, log, signal, aftermath });
  } catch (failure) {
    if (!(failure instanceof UserError)) throw failure;
    return { passages, failure };
  }
  for (const { service, images } of passages) {
    log.info(`${service.name}: ${service.tags.join(", ")} at ${images[0]?.reference}`);
  }
  return { passages: passages.map((passage) => ({ ...passage, released: true })) };
}

function movesOf(
  { service, images, contentKey, decision }: Passage,
  options: Options,
): readonly TagMove[] {
  if (decision.kind === "keep") return [];
  return placesOf(service).flatMap(({ repository, tags }, at) => {
    const image: StoredImage | undefined = images[at];
    if (image === undefined) return [];
    const { digest } = image;
    const named = tags.map((tag) => ({ repository, tag, digest }));
    const cache = { repository, tag: CACHE_TAG, digest, ifAllowed: true };
    // An image that is its own cache must be found by the next build, whatever its tags are.
    const asked = cacheSetting(options).kind === "inline" ? [...named, cache] : named;
    // What was found under its key stays there.
    if (contentKey === undefined || decision.kind === "reuse") return asked;
    // Under the key an image is only found again, which immutable tags do not hinder.
    return [...asked, { repository, tag: keyTag(contentKey.key), digest, ifAllowed: true }];
  });
}
