import { normalPlatform } from "../images/index.ts";

/** The kinds of manifest that a registry is asked for: OCI's, and Docker's older ones. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

/** A piece of content as a manifest refers to it. */
export interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** One image for one platform: what has to be there for it to be pulled. */
export interface ImageManifest {
  readonly kind: "image";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Several images under one digest, one for each platform, and what is attested of them. */
export interface ImageIndex {
  readonly kind: "index";
  readonly images: readonly (Descriptor & { readonly platform: string })[];
  /** Provenance and bills of materials, which hang on as images without a platform. */
  readonly attestations: readonly Descriptor[];
}

interface RawDescriptor {
  readonly digest?: unknown;
  readonly size?: unknown;
  readonly platform?: RawPlatform | null;
  readonly urls?: readonly string[] | null;
}

interface RawPlatform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
}

/** Reads a manifest's JSON; undefined when it is neither an image nor an index. */
export function parseManifest(text: string): ImageManifest | ImageIndex | undefined {
  const raw = parseObject(text);
  if (raw === undefined) return undefined;
  if (Array.isArray(raw.manifests)) return indexOf(raw.manifests as RawDescriptor[]);
  const config = descriptorOf((raw.config ?? {}) as RawDescriptor);
  if (config === undefined || !Array.isArray(raw.layers)) return undefined;
  // Layers with addresses of their own are fetched from there and need not be in the registry.
  const own = (raw.layers as RawDescriptor[]).filter(({ urls }) => (urls ?? []).length === 0);
  const layers = own.map(descriptorOf);
  if (layers.includes(undefined)) return undefined;
  return { kind: "image", config, layers: layers.filter((layer) => layer !== undefined) };
}

/** The platform that an image's configuration, its JSON given, says it is for. */
export function platformOfConfig(text: string): string | undefined {
  const raw = parseObject(text);
  return raw === undefined ? undefined : platformOf(raw as RawPlatform);
}

function indexOf(manifests: readonly RawDescriptor[]): ImageIndex | undefined {
  const images: (Descriptor & { platform: string })[] = [];
  const attestations: Descriptor[] = [];
  for (const raw of manifests) {
    const descriptor = descriptorOf(raw);
    if (descriptor === undefined) return undefined;
    const platform = platformOf(raw.platform ?? {});
    if (platform === undefined) attestations.push(descriptor);
    else images.push({ ...descriptor, platform });
  }
  return { kind: "index", images, attestations };
}

function descriptorOf({ digest, size }: RawDescriptor): Descriptor | undefined {
  return typeof digest === "string" && typeof size === "number" ? { digest, size } : undefined;
}

function platformOf({ os, architecture, variant }: RawPlatform): string | undefined {
  if (!os || !architecture || os === "unknown") return undefined;
  return normalPlatform([os, architecture, variant].filter(Boolean).join("/"));
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
