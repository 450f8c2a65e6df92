import { isDigest, tagProblem } from "./reference.ts";

/** An image as a container names it, taken apart. */
export interface ImageReference {
  /** `docker.io` where none is named. */
  readonly host: string;
  readonly path: string;
  /** `latest` where neither tag nor digest is named. */
  readonly tag?: string | undefined;
  readonly digest?: string | undefined;
}

/**
 * Reads `nginx`, `ghcr.io/shop/web:v1` or `shop/web@sha256:...` as container runtimes do; undefined
 * when it is no image's name.
 *
 * Source: the first part is a host when it has a dot or a port or is `localhost`
 * (github.com/distribution/reference, normalize.go).
 */
export function parseImage(text: string): ImageReference | undefined {
  const [named = "", digest, ...rest] = text.split("@");
  if (rest.length > 0 || (digest !== undefined && !isDigest(digest))) return undefined;
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && tagProblem(tag) !== undefined) return undefined;
  if (!/^[a-z0-9._:[\]/-]+$/i.test(name) || name.startsWith("/") || name.endsWith("/")) {
    return undefined;
  }
  const [first = "", ...parts] = name.split("/");
  const hasHost = parts.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const host = hasHost && first !== "index.docker.io" ? first : "docker.io";
  const path = hasHost ? parts.join("/") : name;
  const official = host === "docker.io" && !path.includes("/");
  return {
    host,
    path: official ? `library/${path}` : path,
    tag: tag ?? (digest === undefined ? "latest" : undefined),
    digest,
  };
}
