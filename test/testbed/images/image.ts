import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Bed } from "../bed.ts";
import { run } from "../run.ts";
import { pushImage } from "./push.ts";

/** An image that the bed makes by itself: base images come from no registry here. */
export interface Image {
  readonly repository: string;
  readonly tag: string;
  /** What a container of it runs, and how. */
  readonly config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly WorkingDir?: string;
  };
  /** Changes with whatever the image is made of. */
  readonly key: (bed: Bed) => Promise<string> | string;
  /** Lays the image's files out in a folder that stands for its root. */
  readonly fill: (bed: Bed, root: string) => Promise<void>;
}

/** The name under which pods and Dockerfiles of this bed find an image. */
export function reference(bed: Bed, { repository, tag }: Image): string {
  return `${bed.registry}/${repository}:${tag}`;
}

/** Puts an image into the bed's registry, making it first where the cache does not hold it. */
export async function provide(bed: Bed, image: Image): Promise<void> {
  const key = createHash("sha256")
    .update(await image.key(bed))
    .update(JSON.stringify(image.config));
  const name = `${image.repository.replaceAll("/", "-")}-${key.digest("hex").slice(0, 12)}`;
  const folder = join(bed.cache, "images", name);
  if ((await stat(folder).catch(() => undefined)) === undefined) await make(bed, image, folder);
  await pushImage(`http://${bed.registry}`, image, folder);
}

/** Writes one layer, a configuration and a manifest, each as the registry is to get it. */
async function make(bed: Bed, image: Image, folder: string): Promise<void> {
  const unfinished = `${folder}.${process.pid}`;
  const root = join(unfinished, "root");
  await mkdir(root, { recursive: true });
  await image.fill(bed, root);

  const tar = join(unfinished, "layer.tar");
  const same = ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0"];
  await run("tar", ["-C", root, ...same, "-cf", tar, "."]);
  const layer = join(unfinished, "layer.tar.gz");
  await pipeline(createReadStream(tar), createGzip({ level: 1 }), createWriteStream(layer));

  const config = JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    config: image.config,
    rootfs: { type: "layers", diff_ids: [await digest(tar)] },
  });
  await writeFile(join(unfinished, "config.json"), config);
  const type = "application/vnd.oci.image";
  const manifest = {
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: await describe(join(unfinished, "config.json"), `${type}.config.v1+json`),
    layers: [await describe(layer, `${type}.layer.v1.tar+gzip`)],
  };
  await writeFile(join(unfinished, "manifest.json"), JSON.stringify(manifest));

  await rm(root, { recursive: true });
  await rm(tar);
  // Another bed may have made the same meanwhile: then its folder stands, and ours goes.
  await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true, force: true }));
}

async function describe(file: string, mediaType: string) {
  return { mediaType, digest: await digest(file), size: (await stat(file)).size };
}

/** The digest of a file, as manifests write it. */
export async function digest(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest("hex")}`;
}
