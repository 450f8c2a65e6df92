import { UserError } from "../failure/index.ts";
import { nameOf, normalPlatform, type Repository } from "../images/index.ts";
import type { Clock } from "../world/index.ts";
import {
  type Descriptor,
  type ImageConfig,
  type ImageManifest,
  parseConfig,
  parseManifest,
  type StoredManifest,
} from "./manifest.ts";
import type { Registry } from "./registry.ts";

/** Which image is meant. */
export interface ImagePlace {
  readonly repository: Repository;
  /** A digest or a tag. */
  readonly reference: string;
  /** That must be there; none when any will do. */
  readonly platforms: readonly string[];
}

/** One image for one platform, as the registry holds it. */
export interface PlatformImage {
  readonly platform: string;
  /** Of its manifest. */
  readonly digest: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The digests of its layers, unpacked. */
  readonly diffIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** An attestation of an image: provenance, a bill of materials. */
export interface Attestation {
  readonly predicateType: string;
  /** Of the platform's manifest that it is about. */
  readonly subject: string;
  /** Of the manifest that carries it. */
  readonly manifest: string;
  readonly layer: Descriptor;
}

/** An image as the registry itself attests it: every part of it was found there. */
export interface StoredImage {
  /** host/path */
  readonly repository: string;
  readonly digest: string;
  /** repository@digest */
  readonly reference: string;
  readonly mediaType: string;
  readonly platforms: readonly string[];
  /** Bytes that a node has to pull for the first platform, as compressed in the registry. */
  readonly size: number;
  /** Of the first platform. */
  readonly labels: Readonly<Record<string, string>>;
  /** The types of its attestations' predicates, each once. */
  readonly attestations: readonly string[];
  readonly papers: readonly Attestation[];
  readonly images: readonly PlatformImage[];
}

/** An image of which the registry lacks a part: whoever can, builds it anew. */
export class DamagedImage extends UserError {}

// Few registries show a manifest later than they accept it, and then by less than this.
const LAG_MS = [200, 800, 2_000];

/**
 * What the registry holds under a tag or digest, looked at part by part: every manifest, the
 * configuration of every platform, every layer present and of its right size. Undefined when there
 * is nothing.
 *
 * @throws {DamagedImage} when a part or a platform is missing.
 * @throws {UserError} when the registry cannot be asked, or contradicts itself.
 */
export async function inspectImage(
  place: ImagePlace,
  registry: Registry,
  signal: AbortSignal,
): Promise<StoredImage | undefined> {
  const { repository, reference } = place;
  const stored = await registry.manifest(repository.path, reference, signal);
  return stored === undefined ? undefined : new Inspection(place, registry, signal).of(stored);
}

/**
 * The same of an image that was just pushed, and so must be there. Registries that show it late are
 * given 3 s.
 *
 * @throws {DamagedImage} also when there is nothing.
 */
export async function proveImage(
  place: ImagePlace,
  registry: Registry,
  clock: Clock,
  signal: AbortSignal,
): Promise<StoredImage> {
  for (const pause of LAG_MS) {
    const found = await inspectImage(place, registry, signal);
    if (found !== undefined) return found;
    await clock.sleep(pause, signal);
  }
  const found = await inspectImage(place, registry, signal);
  if (found === undefined) throw lacks(place, whatIs(place.reference));
  return found;
}

/** What `docker` and people call it in a sentence. */
function whatIs(reference: string): string {
  return reference.startsWith("sha256:") ? `manifest ${reference}` : `tag ${reference}`;
}

class Inspection {
  readonly #place: ImagePlace;
  readonly #registry: Registry;
  readonly #signal: AbortSignal;

  constructor(place: ImagePlace, registry: Registry, signal: AbortSignal) {
    this.#place = place;
    this.#registry = registry;
    this.#signal = signal;
  }

  async of(stored: StoredManifest): Promise<StoredImage> {
    const manifest = parseManifest(stored.text);
    if (manifest === undefined) throw this.#unreadable(stored.digest);
    const [images, papers] =
      manifest.kind === "image"
        ? [[await this.#image(stored.digest, manifest, undefined)], []]
        : await Promise.all([
            Promise.all(manifest.images.map((each) => this.#platform(each))),
            Promise.all(manifest.attestations.map((each) => this.#papers(each))),
          ]);
    this.#expectPlatforms(images.map(({ platform }) => platform));
    const [first] = images;
    const attestations = papers.flat();
    const repository = nameOf(this.#place.repository);
    return {
      repository,
      digest: stored.digest,
      reference: `${repository}@${stored.digest}`,
      mediaType: stored.mediaType,
      platforms: images.map(({ platform }) => platform),
      size: first === undefined ? 0 : sum([first.config, ...first.layers]),
      labels: first?.labels ?? {},
      attestations: [...new Set(attestations.map(({ predicateType }) => predicateType))],
      papers: attestations,
      images,
    };
  }

  async #platform(listed: Descriptor & { readonly platform: string }): Promise<PlatformImage> {
    return this.#image(listed.digest, await this.#manifest(listed.digest), listed.platform);
  }

  async #image(
    digest: string,
    { config, layers }: ImageManifest,
    listedAs: string | undefined,
  ): Promise<PlatformImage> {
    const [read] = await Promise.all([this.#config(config), this.#expectBlobs(layers)]);
    const platform = listedAs ?? read.platform;
    if (platform === undefined) throw this.#unreadable(digest);
    return { platform, digest, config, layers, diffIds: read.diffIds, labels: read.labels };
  }

  async #config({ digest }: Descriptor): Promise<ImageConfig> {
    const text = await this.#registry.blob(this.#path, digest, this.#signal);
    if (text === undefined) throw lacks(this.#place, `configuration ${digest}`);
    const config = parseConfig(text);
    if (config === undefined) throw this.#unreadable(digest);
    return config;
  }

  async #papers(listed: Descriptor): Promise<readonly Attestation[]> {
    const { config, layers } = await this.#manifest(listed.digest);
    await this.#expectBlobs([config, ...layers]);
    const subject = listed.annotations["vnd.docker.reference.digest"] ?? "";
    return layers.flatMap((layer) => {
      const predicateType = layer.annotations["in-toto.io/predicate-type"];
      if (predicateType === undefined) return [];
      return [{ predicateType, subject, manifest: listed.digest, layer }];
    });
  }

  async #manifest(digest: string): Promise<ImageManifest> {
    const stored = await this.#registry.manifest(this.#path, digest, this.#signal);
    if (stored === undefined) throw lacks(this.#place, `manifest ${digest}`);
    const manifest = parseManifest(stored.text);
    if (manifest?.kind !== "image") throw this.#unreadable(digest);
    return manifest;
  }

  async #expectBlobs(blobs: readonly Descriptor[]): Promise<void> {
    const different = new Map(blobs.map((blob) => [blob.digest, blob]));
    await Promise.all([...different.values()].map((blob) => this.#expectBlob(blob)));
  }

  async #expectBlob({ digest, size }: Descriptor): Promise<void> {
    const found = await this.#registry.statBlob(this.#path, digest, this.#signal);
    if (found === undefined) throw lacks(this.#place, `layer or configuration ${digest}`);
    if (found.size === undefined || found.size === size) return;
    throw new DamagedImage({
      title: "The registry holds a layer cut short",
      cause: `${nameOf(this.#place.repository)}: ${digest} has ${size} bytes, but the registry says that it holds ${found.size}.`,
      remedy: "Look for a registry whose disk was full, or a proxy before it; then push again.",
    });
  }

  #expectPlatforms(found: readonly string[]): void {
    const { platforms, repository, reference } = this.#place;
    const absent = platforms.filter((wanted) => !found.includes(normalPlatform(wanted)));
    if (absent.length === 0) return;
    throw new DamagedImage({
      title: "The image in the registry lacks a platform",
      cause: `${nameOf(repository)}${separator(reference)}${reference} was to have ${platforms.join(", ")}; the registry has ${found.join(", ") || "none"}, so ${absent.join(", ")} is missing.`,
      remedy:
        "Look for another job that pushes the same tag for one platform only, or for a builder that cannot build for it.",
    });
  }

  #unreadable(digest: string): UserError {
    return new DamagedImage({
      title: "The registry holds something else than an image",
      cause: `${nameOf(this.#place.repository)}@${digest} is neither an image manifest nor an index of them.`,
      remedy: "Check that the input `registry` names an OCI registry; then run again.",
    });
  }

  get #path(): string {
    return this.#place.repository.path;
  }
}

/** The failure of a registry that has not all of an image. */
function lacks({ repository }: Pick<ImagePlace, "repository">, what: string): DamagedImage {
  return new DamagedImage({
    title: "The registry lacks what was pushed",
    cause: `${nameOf(repository)}: the push was reported as done, but the registry has no ${what}.`,
    remedy:
      "Look for a clean-up that runs at the same time, or for a registry that serves from several places; then run again.",
  });
}

function separator(reference: string): string {
  return reference.includes(":") ? "@" : ":";
}

function sum(parts: readonly Descriptor[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}
