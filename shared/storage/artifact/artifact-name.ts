/** What GitHub does not take in the name of an artifact, and the two signs that stand for others. */
const ODD = /["%:<>|*?~]/g;

/** The name of the artifact that keeps an object: slashes become tildes. */
export function artifactName(name: string): string {
  const escaped = name.replace(
    ODD,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return escaped.replaceAll("/", "~");
}

/** The name of the object that an artifact keeps; undefined where no storage of ours wrote it. */
export function objectName(artifact: string): string | undefined {
  const name = artifact
    .replaceAll("~", "/")
    .replace(/%([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
  return artifactName(name) === artifact ? name : undefined;
}
