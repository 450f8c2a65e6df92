import { type Field, Rejection, text } from "../../shared/action/index.ts";
import type { ManifestSource } from "../../shared/manifests/index.ts";

/** A line of a manifest, which no path looks like. */
const CONTENT = /^\s*(\{|\[|---|"?(apiVersion|kind|metadata)"?\s*:)/m;

/** Manifests to wait for: paths, one a line, for a comma may stand in a glob; or themselves. */
export function manifestsField(): Field<readonly ManifestSource[] | undefined> {
  return {
    ...text({ accepts: "files, folders or globs, one a line, or the manifests themselves" }),
    parse: (raw) =>
      CONTENT.test(raw)
        ? [{ kind: "inline", name: "the input manifests", text: raw }]
        : raw
            .split(/\r\n|\r|\n/)
            .map((line) => line.trim())
            .filter((line) => line !== "" && !line.startsWith("#"))
            .map(pathIn),
  };
}

function pathIn(line: string): ManifestSource {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(line)) {
    throw new Rejection(
      "an address is not fetched here: give the file, or the objects of the cluster by resources or selector",
    );
  }
  if (line.startsWith("-") || /\p{Cc}/u.test(line)) {
    throw new Rejection(`${JSON.stringify(line)} is no path`);
  }
  return { kind: "path", path: line };
}
