/** A manifest as a repository holds it, and what hangs on it. */
export interface Stored extends ManifestFacts {
  readonly digest: string;
  readonly tags: readonly string[];
  /** Of its making, in milliseconds since the Unix epoch; undefined where nobody says. */
  readonly time: number | undefined;
}

/** What a manifest says of itself. */
export interface ManifestFacts {
  /**
   * `image` and `index` can be run. `cache` is BuildKit's. `artifact` is anything else: about an
   * image where it has a subject (a signature, an attestation), or of its own (a Helm chart).
   */
  readonly kind: "image" | "index" | "cache" | "artifact";
  /** Digests of the manifests that it is made of. */
  readonly children: readonly string[];
  /** The digest of what it is about. */
  readonly subject: string | undefined;
  /** The digest of its configuration, by which some nodes call an image. */
  readonly config: string | undefined;
  readonly blobs: readonly Blob[];
  /** Of the manifest itself. */
  readonly bytes: number;
  /** What it says of when it was made, in milliseconds since the Unix epoch. */
  readonly created: number | undefined;
}

export interface Blob {
  readonly digest: string;
  readonly size: number;
}

interface RawDescriptor {
  readonly mediaType?: string;
  readonly digest?: string;
  readonly size?: number;
  readonly urls?: readonly string[] | null;
}

interface RawManifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: RawDescriptor | null;
  readonly layers?: readonly RawDescriptor[] | null;
  readonly manifests?: readonly RawDescriptor[] | null;
  readonly subject?: RawDescriptor | null;
  readonly annotations?: Readonly<Record<string, string>> | null;
}

const CACHE = "application/vnd.buildkit.cacheconfig.v0";
const IMAGE_CONFIGS = new Set([
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.container.image.v1+json",
]);
const MANIFEST = /^application\/vnd\.(oci\.image\.(manifest|index)|docker\.distribution\.manifest)/;

/**
 * Reads a manifest's JSON; undefined when it is neither a manifest nor an index.
 * Sources: OCI image specification 1.1, "Image Manifest" and "Image Index"; BuildKit, cache/remotecache.
 */
export function manifestFacts(text: string): ManifestFacts | undefined {
  const raw = parse(text);
  if (raw === undefined) return undefined;
  const common = {
    subject: raw.subject?.digest,
    bytes: Buffer.byteLength(text),
    created: timeOf(raw.annotations?.["org.opencontainers.image.created"]),
  };
  if (Array.isArray(raw.manifests)) {
    const entries = raw.manifests as readonly RawDescriptor[];
    const parts = entries.filter(({ mediaType = "" }) => MANIFEST.test(mediaType));
    // BuildKit's cache is written as an index whose entries are layers.
    const isCache = entries.some(({ mediaType }) => mediaType === CACHE);
    return {
      ...common,
      kind: isCache ? "cache" : raw.artifactType === undefined ? "index" : "artifact",
      children: isCache ? [] : digestsOf(parts),
      config: undefined,
      blobs: blobsOf(entries.filter((entry) => isCache || !parts.includes(entry))),
    };
  }
  if (!Array.isArray(raw.layers) || raw.config?.digest === undefined) return undefined;
  const own = (raw.layers as readonly RawDescriptor[]).filter(({ urls }) => !urls?.length);
  return {
    ...common,
    kind: kindOf(raw),
    children: [],
    config: raw.config.digest,
    blobs: blobsOf([raw.config, ...own]),
  };
}

function kindOf({ config, artifactType, subject }: RawManifest): ManifestFacts["kind"] {
  const { mediaType = "" } = config ?? {};
  if (mediaType === CACHE) return "cache";
  const isImage = IMAGE_CONFIGS.has(mediaType) && artifactType === undefined && !subject;
  return isImage ? "image" : "artifact";
}

/** When an image's configuration, its JSON given, says that it was made. */
export function createdOf(config: string): number | undefined {
  return timeOf((parse(config) as { created?: unknown } | undefined)?.created);
}

/** Builds that know no time write the beginning of an epoch. */
const FIRST_CREDIBLE = Date.UTC(2013, 0, 1);

function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return time > FIRST_CREDIBLE ? time : undefined;
}

/**
 * What a tag says that its manifest is about: clients name so what a registry cannot list.
 * Sources: cosign, "Signature Spec", `sha256-HEX.sig`; OCI distribution, "Referrers Tag Schema".
 */
export function subjectOfTag(tag: string): string | undefined {
  const hex = /^sha256-([0-9a-f]{64})(?:\.[a-z0-9.-]+)?$/.exec(tag)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

function digestsOf(descriptors: readonly RawDescriptor[]): string[] {
  return descriptors.flatMap(({ digest }) => digest ?? []);
}

function blobsOf(descriptors: readonly RawDescriptor[]): Blob[] {
  return descriptors.flatMap(({ digest, size = 0 }) => (digest ? { digest, size } : []));
}

function parse(text: string): RawManifest | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as RawManifest) : undefined;
  } catch {
    return undefined;
  }
}
