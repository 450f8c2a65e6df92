import { createHash } from "node:crypto";
import { normalPlatform } from "../images/index.ts";

/** The kinds of manifest that a registry is asked for: OCI's, and Docker's older ones. */
export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;

/** A manifest as the registry holds it. */
export interface StoredManifest {
  /** As the registry reports it, and as its bytes have it. */
  readonly digest: string;
  readonly text: string;
  readonly mediaType: string;
}

/** A piece of content as a manifest refers to it. */
export interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly mediaType: string;
  readonly annotations: Readonly<Record<string, string>>;
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
  readonly mediaType?: unknown;
  readonly annotations?: Readonly<Record<string, string>> | null;
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

/** The digest under which a registry keeps these bytes. */
export function digestOfText(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether bytes are others than their digest says. */
export function isDamaged(bytes: Uint8Array, digest: string): boolean {
  return digestOfText(bytes) !== digest;
}

/** The media type that a manifest's JSON gives itself; undefined where it gives none. */
export function mediaTypeOf(text: string): string | undefined {
  const { mediaType } = parseObject(text) ?? {};
  return typeof mediaType === "string" ? mediaType : undefined;
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

/** What an image's configuration says of it. */
export interface ImageConfig {
  /** Undefined where it names none. */
  readonly platform: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The digests of its layers, unpacked. */
  readonly diffIds: readonly string[];
}

/** Reads an image's configuration, its JSON given; undefined when it is none. */
export function parseConfig(text: string): ImageConfig | undefined {
  const raw = parseObject(text) as
    | (RawPlatform & {
        readonly config?: { readonly Labels?: Readonly<Record<string, string>> | null } | null;
        readonly rootfs?: { readonly diff_ids?: readonly string[] | null } | null;
      })
    | undefined;
  if (raw === undefined) return undefined;
  return {
    platform: platformOf(raw),
    labels: raw.config?.Labels ?? {},
    diffIds: raw.rootfs?.diff_ids ?? [],
  };
}

/** When an image was made, as its configuration says, RFC 3339; undefined where it does not. */
export function createdOfConfig(text: string): string | undefined {
  const { created } = parseObject(text) ?? {};
  return typeof created === "string" ? created : undefined;
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

function descriptorOf(raw: RawDescriptor): Descriptor | undefined {
  const { digest, size, mediaType, annotations } = raw;
  if (typeof digest !== "string" || typeof size !== "number") return undefined;
  return { digest, size, mediaType: String(mediaType ?? ""), annotations: annotations ?? {} };
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
