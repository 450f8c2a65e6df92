import { UserError } from "../failure/index.ts";
import type { Registry } from "../registry/index.ts";
import type { Layout } from "./layout.ts";

const SIDE_BY_SIDE = 3;

/**
 * Pushes an image from its folder, by digest and under no tag: blobs first, then what names them.
 *
 * @throws {UserError} when the registry refuses it, or makes another digest of it.
 */
export async function pushLayout(
  layout: Layout,
  path: string,
  registry: Registry,
  signal: AbortSignal,
): Promise<void> {
  const waiting = [...layout.blobs];
  const inTurn = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { digest, size, open } = next;
      await registry.upload({ path, digest, content: { size, open } }, signal);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, inTurn));
  for (const { digest, mediaType, text } of layout.manifests) {
    const stored = await registry.putManifest(path, digest, { text, mediaType }, signal);
    if (stored !== digest) throw otherDigest(path, digest, stored);
  }
}

function otherDigest(path: string, pushed: string, stored: string): UserError {
  return new UserError({
    title: "The registry holds something else than was pushed",
    cause: `A manifest of ${path} was pushed as ${pushed}, and the registry calls it ${stored}.`,
    remedy: "Nothing was tagged. Look for a proxy before the registry that changes what passes it.",
  });
}
