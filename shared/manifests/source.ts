import { FormatError } from "../failure/index.ts";

/** Where manifests come from, as the user names it. */
export type ManifestSource =
  /** A file, a folder, a kustomization's folder, or a glob. */
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string; readonly sha256: string }
  | { readonly kind: "inline"; readonly name: string; readonly text: string };

const CHECKSUM = /^[0-9a-f]{64}$/i;

/**
 * Reads one line: a path or glob, or an address with the checksum of what is there, either as
 * `https://host/x.yaml#sha256=...` or as `https://host/x.yaml sha256:...`.
 *
 * @throws {FormatError} for an address without a checksum, of another scheme, or with a password.
 */
export function parseSource(line: string): ManifestSource {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(line)) {
    if (line.startsWith("-") || /\p{Cc}/u.test(line)) {
      throw new FormatError(`${JSON.stringify(line)} is no path`);
    }
    return { kind: "path", path: line };
  }
  const parts = /^(?<url>\S+?)(?:#sha256=|\s+sha256:)(?<sha256>\S+)$/.exec(line)?.groups;
  const url = urlOf(parts?.url ?? line);
  const named = `${url.protocol}//${url.host}${url.pathname}`;
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new FormatError(`${named}: only https and http are fetched`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new FormatError(`${named}: no user and password in an address, they would be logged`);
  }
  if (parts?.sha256 === undefined) {
    throw new FormatError(
      `${named}: the checksum is missing; write ${named}#sha256= and the output of sha256sum`,
    );
  }
  if (!CHECKSUM.test(parts.sha256)) {
    throw new FormatError(`${named}: a SHA-256 checksum has 64 hex digits`);
  }
  return { kind: "url", url: url.href, sha256: parts.sha256.toLowerCase() };
}

function urlOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new FormatError(`${JSON.stringify(text)} is no address`);
  return url;
}
