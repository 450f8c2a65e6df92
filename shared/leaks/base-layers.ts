import { normalPlatform } from "../images/index.ts";
import type { ImageSource } from "./leak-search.ts";
import { contentsOf } from "./stored-papers.ts";

/**
 * The digests of the layers of an image that others are built on.
 *
 * @param platforms that are of interest; all when there are none.
 * @throws {UserError} when the registry cannot be asked.
 */
export async function layersOf(
  path: string,
  digest: string,
  platforms: readonly string[],
  registry: Pick<ImageSource, "manifest">,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const stored = await registry.manifest(path, digest, signal);
  if (stored === undefined) return [];
  const { manifests, layers } = contentsOf(stored.text);
  const wanted = manifests.filter(({ platform }) => {
    const isAsked = platforms.length === 0 || platforms.includes(normalPlatform(platform ?? ""));
    return platform !== undefined && isAsked;
  });
  const below = await Promise.all(
    wanted.map((each) => layersOf(path, each.digest, [], registry, signal)),
  );
  return [...layers.map((layer) => layer.digest), ...below.flat()];
}
