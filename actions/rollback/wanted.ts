/** Where a user wants to go back to. */
export type Wanted =
  | { readonly by: "previous" }
  | { readonly by: "revision"; readonly revision: number }
  | { readonly by: "version"; readonly version: string }
  | { readonly by: "digest"; readonly digest: string };

/** A digest, alone or at the end of an image's name. */
const DIGEST = /^(?:[^@\s]+@)?(?<digest>sha256:[0-9a-f]{64})$/;
const VERSION = /^(?:version[=:])?(?<version>\w[\w.+-]*)$/;

/**
 * Reads `previous`, a revision's number, `sha256:...` (also behind an image's name), or a version
 * such as `v1.4.2`; a version that looks like a number is written `version=2026`. Undefined when
 * the text is none of these.
 */
export function wantedOf(text: string): Wanted | undefined {
  if (text === "previous") return { by: "previous" };
  if (/^[1-9]\d{0,8}$/.test(text)) return { by: "revision", revision: Number(text) };
  const digest = DIGEST.exec(text)?.groups?.digest;
  if (digest !== undefined) return { by: "digest", digest };
  const version = VERSION.exec(text)?.groups?.version;
  return version === undefined ? undefined : { by: "version", version };
}

/** What is wanted, in words. */
export function wantedText(wanted: Wanted): string {
  switch (wanted.by) {
    case "previous":
      return "a previous good revision";
    case "revision":
      return `a revision ${wanted.revision}`;
    case "version":
      return `a revision of version ${wanted.version}`;
    case "digest":
      return `a revision with the image ${wanted.digest.slice(0, 19)}`;
  }
}
