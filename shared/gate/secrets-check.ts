import { UserError } from "../failure/index.ts";
import type { Leak, LeakReport, LeakSearch } from "../leaks/index.ts";
import { failed, type GateCheck, notChecked, passed } from "./check.ts";
import type { GateImage } from "./gate-image.ts";

const MOST_NAMED = 5;

/**
 * Searches an image for secrets. Mirrors hold the same content under the same digest, and are not
 * searched again.
 *
 * @throws {UserError} when the registry does not give what is to be searched.
 */
export async function checkSecrets(
  image: GateImage,
  searchFor: () => Promise<LeakSearch>,
  signal: AbortSignal,
): Promise<{ readonly check: GateCheck; readonly notes: readonly string[] }> {
  const { service, reused, places, baseLayers } = image;
  const [first] = places;
  if (reused) {
    return { check: notChecked("secrets", "searched for secrets when it was built"), notes: [] };
  }
  const { repository, digest } = first.image;
  const path = repository.slice(repository.indexOf("/") + 1);
  const search = await searchFor();
  const report = await search.search(path, digest, first.registry, signal, baseLayers);
  const notes = report.notes.map((note) => `${service}: ${note}`);
  if (report.leaks.length > 0) {
    return { check: failed("secrets", leakFailure(first.image.reference, report.leaks)), notes };
  }
  return { check: passed("secrets", phraseOf(report)), notes };
}

function phraseOf({ layers, skipped, bytes }: LeakReport): string {
  if (layers + skipped === 0)
    return "no secret in its papers; no secret was given to search layers for";
  const megabytes = Math.ceil(bytes / 1e6);
  const searched = `${layers} ${layers === 1 ? "layer" : "layers"}, ${megabytes} MB searched`;
  const base = skipped === 0 ? "" : `; ${skipped} of base images not`;
  return `no secret in it (${searched}${base})`;
}

function leakFailure(image: string, leaks: readonly Leak[]): UserError {
  const lines = leaks.map(({ secret, how, where }) => `${secret} (${how}) in ${where}`);
  const more = lines.length - MOST_NAMED;
  const named = more > 0 ? [...lines.slice(0, MOST_NAMED), `and ${more} more places`] : lines;
  const secrets = new Set(leaks.map(({ secret }) => secret));
  return new UserError({
    title: secrets.size === 1 ? "The image holds a secret" : "The image holds secrets",
    cause: `${image}: ${named.join("; ")}.`,
    remedy: remedyFor(leaks),
    evidence: lines.join("\n"),
  });
}

/** What was pushed is at the registry without a tag, where whoever knows its digest can pull it. */
function remedyFor(leaks: readonly Leak[]): string {
  const inLayers = leaks.some(({ layer }) => layer !== undefined);
  const mend = inLayers
    ? "Give it to the build by `RUN --mount=type=secret` only, keep the file that holds it out of the image (by .dockerignore, or by not copying it), and build again."
    : "Give it to the build by the input secrets and `RUN --mount=type=secret` only, not as a build argument, label or address, and build again.";
  return `${mend} The image is in the registry without a tag: change the secret, and remove the image.`;
}
