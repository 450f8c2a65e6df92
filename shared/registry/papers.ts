import { UserError } from "../failure/index.ts";
import { nameOf, type Repository } from "../images/index.ts";
import { createdOfConfig, digestOfText, parseManifest, type StoredManifest } from "./manifest.ts";
import type { Registry } from "./registry.ts";
import { reproducibleStatement } from "./statement.ts";

/** An image whose papers say the same after every build of the same sources, as far as we know them. */
export interface Papers {
  /** Of the image with these papers; the given one where there was nothing to change. */
  readonly digest: string;
  /** Sentences on papers that were left as they are, and may make the digest another next time. */
  readonly notes: readonly string[];
}

interface RawDescriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RawManifest {
  readonly config: RawDescriptor;
  readonly layers: readonly RawDescriptor[];
}

const IN_TOTO = "application/vnd.in-toto+json";
/** Larger ones, such as bills of many thousand parts, are left as they are. */
const LARGEST = 4 * 1024 * 1024;

/**
 * Writes the provenance and bills of materials of an image anew without what is told of the run
 * that made them, and puts an index in the registry that has these papers beside the same images.
 * The digest of that follows from the sources alone. What we do not know is left as it is.
 *
 * @throws {UserError} when the registry cannot be asked, refuses, or lacks a part.
 */
export async function reproduciblePapers(
  { repository, digest }: { readonly repository: Repository; readonly digest: string },
  registry: Registry,
  signal: AbortSignal,
): Promise<Papers> {
  const desk = new Desk(repository, registry, signal);
  const stored = await desk.manifest(digest);
  if (parseManifest(stored.text)?.kind !== "index") return { digest, notes: [] };
  const index = JSON.parse(stored.text) as { manifests: RawDescriptor[] };
  const manifests = await Promise.all(
    index.manifests.map((each) => (isAttestation(each) ? desk.rewriteManifest(each, index) : each)),
  );
  const changed = manifests.some((each, at) => each !== index.manifests[at]);
  if (!changed) return { digest, notes: desk.notes };
  const { mediaType } = stored;
  const made = await desk.put({ text: JSON.stringify({ ...index, manifests }), mediaType });
  return { digest: made.digest, notes: desk.notes };
}

/** Source: BuildKit, docs/attestations/attestation-storage.md. */
function isAttestation({ annotations }: RawDescriptor): boolean {
  return annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
}

class Desk {
  readonly notes: string[] = [];
  readonly #repository: Repository;
  readonly #registry: Registry;
  readonly #signal: AbortSignal;

  constructor(repository: Repository, registry: Registry, signal: AbortSignal) {
    this.#repository = repository;
    this.#registry = registry;
    this.#signal = signal;
  }

  async manifest(digest: string): Promise<StoredManifest> {
    const found = await this.#registry.manifest(this.#repository.path, digest, this.#signal);
    if (found === undefined) throw this.#lacks(`manifest ${digest}`);
    return found;
  }

  async put(
    manifest: Pick<StoredManifest, "text" | "mediaType">,
  ): Promise<Pick<RawDescriptor, "digest" | "size">> {
    const digest = digestOfText(manifest.text);
    await this.#registry.putManifest(this.#repository.path, digest, manifest, this.#signal);
    return { digest, size: Buffer.byteLength(manifest.text) };
  }

  /** The descriptor itself when nothing is to be changed. */
  async rewriteManifest(
    descriptor: RawDescriptor,
    index: { readonly manifests: readonly RawDescriptor[] },
  ): Promise<RawDescriptor> {
    const stored = await this.manifest(descriptor.digest);
    const manifest = JSON.parse(stored.text) as RawManifest;
    const about = descriptor.annotations?.["vnd.docker.reference.digest"];
    const image = index.manifests.find(({ digest }) => digest === about);
    const created = once(() => this.#created(image));
    const layers = await Promise.all(
      manifest.layers.map((layer) => this.#rewriteLayer(layer, created)),
    );
    if (layers.every((layer, at) => layer === manifest.layers[at])) return descriptor;
    const config = await this.#rewriteConfig(manifest, layers);
    const { mediaType } = stored;
    const made = await this.put({
      text: JSON.stringify({ ...manifest, config, layers }),
      mediaType,
    });
    return { ...descriptor, ...made };
  }

  async #rewriteLayer(
    layer: RawDescriptor,
    created: () => Promise<string | undefined>,
  ): Promise<RawDescriptor> {
    const type = layer.annotations?.["in-toto.io/predicate-type"] ?? "of no named kind";
    const note = (why: string) => {
      this.notes.push(
        `the attestation ${type} is kept as it is (${why}); the image's digest may be another after each build`,
      );
      return layer;
    };
    if (layer.mediaType !== IN_TOTO) return note(`it is stored as ${layer.mediaType}`);
    if (layer.size > LARGEST) return note(`it has ${layer.size} bytes`);
    const text = await this.#blob(layer.digest);
    const needsTime = type.startsWith("https://spdx.dev/");
    const result = reproducibleStatement(text, needsTime ? await created() : undefined);
    if (result.kind === "unknown") return note(result.why);
    return result.kind === "same" ? layer : { ...layer, ...(await this.#upload(result.text)) };
  }

  /** Where papers are stored as an image, its configuration lists their digests. */
  async #rewriteConfig(
    manifest: RawManifest,
    layers: readonly RawDescriptor[],
  ): Promise<RawDescriptor> {
    const text = await this.#blob(manifest.config.digest);
    const config = JSON.parse(text) as { rootfs?: { diff_ids?: string[] } };
    const listed = config.rootfs?.diff_ids;
    if (listed === undefined) return manifest.config;
    const now = new Map(manifest.layers.map(({ digest }, at) => [digest, layers[at]?.digest]));
    const diffIds = listed.map((digest) => now.get(digest) ?? digest);
    const rewritten = { ...config, rootfs: { ...config.rootfs, diff_ids: diffIds } };
    return { ...manifest.config, ...(await this.#upload(JSON.stringify(rewritten))) };
  }

  async #created(image: RawDescriptor | undefined): Promise<string | undefined> {
    if (image === undefined) return undefined;
    const manifest = parseManifest((await this.manifest(image.digest)).text);
    if (manifest?.kind !== "image") return undefined;
    return createdOfConfig(await this.#blob(manifest.config.digest));
  }

  async #blob(digest: string): Promise<string> {
    const text = await this.#registry.blob(this.#repository.path, digest, this.#signal);
    if (text === undefined) throw this.#lacks(`attestation ${digest}`);
    return text;
  }

  async #upload(text: string): Promise<Pick<RawDescriptor, "digest" | "size">> {
    const content = Buffer.from(text);
    const digest = digestOfText(content);
    const { path } = this.#repository;
    await this.#registry.upload({ path, digest, content }, this.#signal);
    return { digest, size: content.length };
  }

  #lacks(what: string): UserError {
    return new UserError({
      title: "The registry lacks what was pushed",
      cause: `${nameOf(this.#repository)}: the push was reported as done, but the registry has no ${what}.`,
      remedy:
        "Look for a clean-up that runs at the same time, or for a registry that serves from several places; then run again.",
    });
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
