import { UserError } from "../../shared/failure/index.ts";
import { nameOf, type Repository } from "../../shared/images/index.ts";
import { proveImage, reproduciblePapers, type StoredImage } from "../../shared/registry/index.ts";
import { placesOf } from "./places.ts";
import type { Passage } from "./result.ts";
import type { PlacedService } from "./sources.ts";
import type { Step } from "./step.ts";

/**
 * Has the registry attest what was pushed, wherever it was pushed to: digest, platforms, every
 * configuration and layer. What papers say of the one run is left out before, so that the same
 * sources give the same digest. Images are looked at as soon as they are pushed, while others are
 * still built.
 */
export class Prover {
  readonly #step: Step;
  readonly #begun = new Map<string, Promise<StoredImage>>();

  constructor(step: Step) {
    this.#step = step;
  }

  /** Begins with an image that the registry has taken. Whatever comes of it is told by `prove`. */
  begin(service: PlacedService, reference: string): void {
    // Of several platforms some may be pushed on their own first.
    if (service.platforms.length > 1) return;
    const place = placesOf(service).find(({ repository }) =>
      reference.startsWith(`${nameOf(repository)}@`),
    );
    const digest = reference.split("@")[1];
    if (place === undefined || digest === undefined || this.#begun.has(reference)) return;
    const proof = prove(place.repository, digest, service.platforms, this.#step);
    proof.catch(() => {});
    this.#begun.set(reference, proof);
  }

  /** The images of a service that was built; a failure is in its passage. */
  async prove(passage: Passage): Promise<Passage> {
    const { service, built, failure } = passage;
    if (built === undefined || failure !== undefined) return passage;
    try {
      const { digest } = built;
      if (digest === undefined) throw unnamed(service.name);
      const images: StoredImage[] = [];
      for (const { repository } of placesOf(service)) {
        images.push(await this.#proven(repository, digest, service.platforms));
      }
      this.#step.world.log.info(`${service.name}: the registry holds ${images[0]?.reference}`);
      return { ...passage, images };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { ...passage, failure: error };
    }
  }

  async #proven(
    repository: Repository,
    digest: string,
    platforms: readonly string[],
  ): Promise<StoredImage> {
    const early = await this.#begun.get(`${nameOf(repository)}@${digest}`)?.catch(() => undefined);
    return early ?? (await prove(repository, digest, platforms, this.#step));
  }
}

async function prove(
  repository: Repository,
  digest: string,
  platforms: readonly string[],
  { workshop, world }: Step,
): Promise<StoredImage> {
  const { clock, signal } = world;
  const registry = await workshop.registries.of(repository.host);
  const papers = await reproduciblePapers({ repository, digest }, registry, signal);
  for (const note of papers.notes) world.log.info(`${repository.path}: ${note}`);
  const claim = { repository, reference: papers.digest, platforms };
  return proveImage(claim, registry, clock, signal);
}

function unnamed(service: string): UserError {
  return new UserError({
    title: `${service}: the builder does not say what it pushed`,
    cause:
      "buildx ended well, but names no digest of the image, so that nothing can be proven of it.",
    remedy: "Update buildx to 0.13 or later, or build with another builder.",
  });
}
