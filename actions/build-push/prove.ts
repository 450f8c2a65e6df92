import { UserError } from "../../shared/failure/index.ts";
import { proveImage, reproduciblePapers, type StoredImage } from "../../shared/registry/index.ts";
import type { Passage } from "./result.ts";
import type { Step } from "./step.ts";

/**
 * Has the registry attest what was pushed for a service, wherever it was pushed to: digest,
 * platforms, every configuration and layer. What its papers say of the one run is left out before,
 * so that the same sources give the same digest.
 */
export async function proveBuilt(passage: Passage, step: Step): Promise<Passage> {
  const { service, built, failure } = passage;
  if (built === undefined || failure !== undefined) return passage;
  const { world } = step;
  try {
    const digest = built.digest;
    if (digest === undefined) throw unnamed(service.name);
    const repositories = [service.repository, ...service.mirrors.map((each) => each.repository)];
    const images: StoredImage[] = [];
    for (const repository of repositories) {
      images.push(await prove(repository, digest, service.platforms, step));
    }
    world.log.info(`${service.name}: the registry holds ${images[0]?.reference}`);
    return { ...passage, images };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...passage, failure: error };
  }
}

async function prove(
  repository: Passage["service"]["repository"],
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
