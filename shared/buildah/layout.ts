import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { normalPlatform } from "../images/index.ts";

/** An image in a folder, as the OCI image layout has it (image-spec, image-layout.md). */
export interface Layout {
  /** What the image is called by: of one platform its manifest, of several their index. */
  readonly digest: string;
  /** In the order in which a registry takes them: what names others comes after them. */
  readonly manifests: readonly LaidManifest[];
  readonly blobs: readonly LaidBlob[];
  /** Those of the images in it, from their own configuration. */
  readonly platforms: readonly string[];
}

export interface LaidManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly text: string;
}

export interface LaidBlob {
  readonly digest: string;
  readonly size: number;
  readonly open: (from: number) => AsyncIterable<Uint8Array>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

interface Manifest {
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

/**
 * Reads the image that a folder holds.
 *
 * @throws what the file system says, and an Error where the folder holds no image or several.
 */
export async function readLayout(folder: string): Promise<Layout> {
  const index = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as Manifest;
  const [top, ...others] = index.manifests ?? [];
  if (top === undefined || others.length > 0) throw new Error(`${folder} does not hold one image`);
  const whole = await manifestAt(folder, top);
  const inner = await Promise.all(
    (whole.manifest.manifests ?? []).map((each) => manifestAt(folder, each)),
  );
  const [single] = inner;
  // An index of one image tells nothing that the image does not.
  const images = inner.length === 0 ? [whole] : inner;
  const called = inner.length === 1 && single !== undefined ? single : whole;
  const blobs = new Map<string, LaidBlob>();
  for (const { manifest } of images) {
    for (const blob of [
      ...(manifest.layers ?? []),
      ...(manifest.config ? [manifest.config] : []),
    ]) {
      if (!blobs.has(blob.digest)) blobs.set(blob.digest, await blobAt(folder, blob.digest));
    }
  }
  const platforms = await Promise.all(images.map(({ manifest }) => platformOf(folder, manifest)));
  const manifests = [...images.filter((image) => image !== called), called].map(
    ({ digest, mediaType, text }) => ({ digest, mediaType, text }),
  );
  return { digest: called.digest, manifests, blobs: [...blobs.values()], platforms };
}

async function manifestAt(folder: string, { digest, mediaType }: Descriptor) {
  const text = await readFile(pathOf(folder, digest), "utf8");
  return { digest, mediaType, text, manifest: JSON.parse(text) as Manifest };
}

async function blobAt(folder: string, digest: string): Promise<LaidBlob> {
  const file = pathOf(folder, digest);
  const { size } = await stat(file);
  return { digest, size, open: (from) => createReadStream(file, { start: from }) };
}

async function platformOf(folder: string, { config }: Manifest): Promise<string> {
  if (config === undefined) return "";
  const { os, architecture, variant } = JSON.parse(
    await readFile(pathOf(folder, config.digest), "utf8"),
  ) as { os?: string; architecture?: string; variant?: string };
  return normalPlatform([os, architecture, variant].filter(Boolean).join("/"));
}

function pathOf(folder: string, digest: string): string {
  return join(folder, "blobs", digest.replace(":", "/"));
}
