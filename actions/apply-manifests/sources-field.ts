import { type Field, text } from "../../shared/action/index.ts";
import { type ManifestSource, parseSource } from "../../shared/manifests/index.ts";

/** Where manifests come from, one source a line: a comma may stand in a glob. */
export function sources(): Field<readonly ManifestSource[] | undefined> {
  return {
    ...text({
      accepts: "lines, each a file, a folder, a glob, or an address with #sha256= and its checksum",
    }),
    parse: (raw) =>
      raw
        .split(/\r\n|\r|\n/)
        .map((line) => line.trim())
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map(parseSource),
  };
}
