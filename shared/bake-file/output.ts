import type { Refusal } from "./target.ts";

type Mapping = Readonly<Record<string, string>>;

/** What is kept of an image's exporter: it changes how layers are packed, and nothing else. */
const KEPT = ["compression", "compression-level", "force-compression"];

/** What the push does by itself, when it has this value. */
const GIVEN: Mapping = {
  push: "true",
  "oci-mediatypes": "true",
  "rewrite-timestamp": "true",
  "push-by-digest": "true",
  store: "true",
  unpack: "false",
};

/**
 * The attributes of a target's outputs that are carried over; all others are refused. A target is
 * pushed whatever its outputs are, as `bake --push` does with those that hold an image.
 */
export function readOutputs(
  outputs: readonly Mapping[],
  linked: boolean,
): { readonly exporter: Mapping; readonly refusals: readonly Refusal[] } {
  const exporter: Record<string, string> = {};
  const refusals: Refusal[] = [];
  const refuse = (problem: string) => refusals.push({ key: "output", problem });
  for (const { type = "", ...attributes } of outputs) {
    // What is only linked to is printed with the output that buildx gives it.
    if (linked && type === "cacheonly") continue;
    if (type === "docker" && (attributes.dest ?? "") === "") continue;
    if (type !== "image" && type !== "registry") {
      refuse(`type=${type} makes no image to push; leave its target out of targets`);
      continue;
    }
    for (const [key, value] of Object.entries(attributes)) {
      if (KEPT.includes(key)) exporter[key] = value;
      else if (key === "push") continue;
      else if (key === "name") refuse("name the image in tags instead of in name");
      else if (GIVEN[key] !== value) refuse(`${key}=${value} is not carried over to the push`);
    }
  }
  return { exporter, refusals };
}

interface Attest {
  readonly provenance: "min" | "max" | "off" | undefined;
  readonly sbom: boolean | undefined;
  readonly refusals: readonly Refusal[];
}

/** What the image is to tell of its build. */
export function readAttest(attests: readonly Mapping[]): Attest {
  let provenance: Attest["provenance"];
  let sbom: boolean | undefined;
  const refusals: Refusal[] = [];
  for (const { type = "", disabled, mode, ...others } of attests) {
    const off = disabled === "true";
    if (type === "sbom") sbom = !off;
    else if (type === "provenance") provenance = off ? "off" : mode === "max" ? "max" : "min";
    else refusals.push({ key: "attest", problem: `type=${type} is not known` });
    for (const key of Object.keys(others)) {
      refusals.push({ key: "attest", problem: `${key} of ${type} is not carried over` });
    }
  }
  return { provenance, sbom, refusals };
}
