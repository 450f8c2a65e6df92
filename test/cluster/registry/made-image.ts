import { createHash } from "node:crypto";
import type { Registry } from "../../../shared/registry/index.ts";

/** A small image, made without a builder: no node could run it, and any registry keeps it. */
export interface MadeImage {
  readonly digest: string;
  readonly text: string;
  readonly mediaType: string;
  /** Configuration first. */
  readonly blobs: readonly Buffer[];
  /** Of its configuration and layers, in bytes. */
  readonly size: number;
}

/** An image of one to three layers; the same random numbers give the same one. */
export function madeImage(
  random: () => number,
  name: string | number,
  labels: Readonly<Record<string, string>> = {},
): MadeImage {
  const layers = Array.from({ length: 1 + Math.floor(3 * random()) }, () =>
    bytes(random, 200 + Math.floor(4_000 * random())),
  );
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Labels: { name: `${name}`, ...labels } },
      rootfs: { type: "layers", diff_ids: layers.map(digestOf) },
    }),
  );
  const describe = (mediaType: string) => (blob: Buffer) => ({
    mediaType,
    digest: digestOf(blob),
    size: blob.length,
  });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: describe("application/vnd.oci.image.config.v1+json")(config),
    layers: layers.map(describe("application/vnd.oci.image.layer.v1.tar")),
  });
  const blobs = [config, ...layers];
  const size = blobs.reduce((sum, { length }) => sum + length, 0);
  return { digest: digestOf(text), text, mediaType, blobs, size };
}

/** Pushes it by its digest, without a tag. */
export async function pushImage(
  registry: Registry,
  path: string,
  image: MadeImage,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    image.blobs.map((content) =>
      registry.upload({ path, digest: digestOf(content), content }, signal),
    ),
  );
  await registry.putManifest(path, image.digest, image, signal);
}

export function digestOf(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

function bytes(random: () => number, length: number): Buffer {
  const made = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) made[at] = Math.floor(256 * random());
  return made;
}
